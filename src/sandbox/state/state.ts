import type { Delivery } from "../deliveries/delivery.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";

/** Where the sandbox keeps what a later run shall find. The sandbox has everything in memory; this is only written, and read at the start. */
export interface State {
  endpoints(): Endpoint[];
  /** Oldest first. */
  deliveries(): Delivery[];
  /** A value that another run has kept under a name. */
  kept(name: string): string | undefined;
  keep(name: string, value: string): void;
  saveEndpoint(endpoint: Endpoint): void;
  removeEndpoint(id: string): void;
  saveDelivery(delivery: Delivery): void;
  forgetDelivery(id: string): void;
  /** Does several writes as one: all of them or none. */
  together(writes: () => void): void;
  close(): void;
}

/** Keeps nothing. */
export function noState(): State {
  return {
    endpoints: () => [],
    deliveries: () => [],
    kept: () => undefined,
    keep() {},
    saveEndpoint() {},
    removeEndpoint() {},
    saveDelivery() {},
    forgetDelivery() {},
    together() {},
    close() {},
  };
}
