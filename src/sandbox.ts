/** The door `bluum-webhooks/sandbox`: Bluum on localhost, for tests and for trying things out. Not for production. */
export { createSandbox } from "./sandbox/create.ts";
export type { Credentials } from "./sandbox/credentials.ts";
export { FAULTS, type Fault, type FaultPlan } from "./sandbox/faults.ts";
export type { ForgeryKind } from "./sandbox/forgeries.ts";
export type { SandboxOptions } from "./sandbox/options.ts";
export type * from "./sandbox/page-api.ts";
export type { EndpointOptions, RegisteredEndpoint, Sandbox, SendOptions } from "./sandbox/sandbox.ts";
export type { ErrorShape, ListShape, ResponseShape } from "./sandbox/shapes.ts";
