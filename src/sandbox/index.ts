/** The door `bluum-webhooks/sandbox`: Bluum on localhost, for tests and for trying things out. Not for production. */
export { FAULTS, type Fault, type FaultPlan } from "./deliveries/faults.ts";
export type { EndpointOptions, SandboxOptions, SendOptions } from "./options.ts";
export type * from "./page-api.ts";
export { createSandbox, type RegisteredEndpoint, type Sandbox } from "./sandbox.ts";
export type { Credentials } from "./server/credentials.ts";
export type { ErrorShape, ListShape, ResponseShape } from "./server/shapes.ts";
export type { ForgeryKind } from "./signing/forgeries.ts";
