/** The door `bluum-webhooks/sandbox`: Bluum on localhost, for tests and for trying things out. Not for production. */
export { createSandbox } from "./create.ts";
export type { Credentials } from "./credentials.ts";
export { FAULTS, type Fault, type FaultPlan } from "./faults.ts";
export type { ForgeryKind } from "./forgeries.ts";
export type { SandboxOptions } from "./options.ts";
export type * from "./page-api.ts";
export type { EndpointOptions, RegisteredEndpoint, Sandbox, SendOptions } from "./sandbox.ts";
export type { ErrorShape, ListShape, ResponseShape } from "./shapes.ts";
