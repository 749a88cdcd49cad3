/**
 * Bluum on localhost, for tests and for trying things out: management API, signed deliveries, the retry schedule. Not for production.
 *
 * @example
 * import { createSandbox } from "bluum-webhooks/sandbox";
 *
 * const sandbox = await createSandbox();
 * await sandbox.endpoint({ url: "http://localhost:3000/webhooks/bluum" });
 * await sandbox.send("order.filled");
 * await sandbox.settled();
 * await sandbox.close();
 *
 * @module bluum-webhooks/sandbox
 */

export type { BodyView } from "../page/body.ts";
export { FAULTS, type Fault, type FaultPlan } from "./deliveries/faults.ts";
export type { EndpointOptions, SandboxOptions, SendOptions } from "./options.ts";
export type * from "./page-api.ts";
export { createSandbox, type RegisteredEndpoint, type Sandbox } from "./sandbox.ts";
export type { Credentials } from "./server/credentials.ts";
export type { ErrorShape, ListShape, ResponseShape } from "./server/shapes.ts";
export type { ForgeryKind } from "./signing/forgeries.ts";
