import type { Delivery } from "../deliveries/delivery.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";

/** What the next run of the sandbox goes on from. It is read at the start and then only written: a running sandbox has everything in memory. */
export interface State {
  endpoints(): Endpoint[];
  /** Oldest first. */
  deliveries(): Delivery[];
  /** A value that an earlier run stored under a name. */
  kept(name: string): string | undefined;
  keep(name: string, value: string): void;
  saveEndpoint(endpoint: Endpoint): void;
  removeEndpoint(id: string): void;
  saveDelivery(delivery: Delivery): void;
  forgetDelivery(id: string): void;
  /** Runs several writes in one transaction. */
  together(writes: () => void): void;
  close(): void;
}

/** Stores nothing. */
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
