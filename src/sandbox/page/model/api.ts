import { callerOf } from "../../../page/model/call.ts";
import type { AddedEndpoint, DeliveryDetail, EndpointView, Snapshot, Started } from "../../page-api.ts";

const ROOT = "/_inspector";
const callServer = callerOf("The sandbox");

/** The stream of changes after a revision. */
export function changesPath(revision: number): string {
  return `${ROOT}/changes?since=${revision}`;
}

export function fetchState(): Promise<Snapshot> {
  return call("GET", "/state");
}

export function fetchDelivery(id: string): Promise<DeliveryDetail> {
  return call("GET", deliveryPath(id));
}

export function postDuplicate(id: string): Promise<Started> {
  return call("POST", `${deliveryPath(id)}/duplicate`, {});
}

export function postReplay(id: string): Promise<Started> {
  return call("POST", `${deliveryPath(id)}/replay`, {});
}

export function postForgery(id: string, kind: string): Promise<Started> {
  return call("POST", `${deliveryPath(id)}/forge`, { kind });
}

export function postReplayParked(): Promise<Started> {
  return call("POST", "/replay-parked", {});
}

export function postScenario(name: string): Promise<Started> {
  return call("POST", `/scenarios/${encodeURIComponent(name)}`, {});
}

export function postEvent(event: string, data?: unknown): Promise<Started> {
  return call("POST", "/events", data === undefined ? { event } : { event, data });
}

/** What an endpoint is registered with; the sandbox has defaults for what is missing. */
export interface NewEndpoint {
  readonly url: string;
  readonly name?: string;
  readonly eventTypeNames?: readonly string[];
}

export function postEndpoint(endpoint: NewEndpoint): Promise<AddedEndpoint> {
  return call("POST", "/endpoints", endpoint);
}

export function patchEndpoint(id: string, status: EndpointView["status"]): Promise<EndpointView> {
  return call("PATCH", `/endpoints/${encodeURIComponent(id)}`, { status });
}

function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  return callServer(method, ROOT + path, body);
}

function deliveryPath(id: string): string {
  return `/deliveries/${encodeURIComponent(id)}`;
}
