/** The door `bluum-webhooks/testing`: signed deliveries and samples for your tests, the check of a mount, the contract of a store. */
export { type MountCause, MountError, type MountFinding } from "./testing/mount-findings.ts";
export { type SampleData, type SampleOverrides, type SamplePayload, sampleEvent } from "./testing/samples.ts";
export * from "./testing/sign.ts";
export * from "./testing/store-contract.ts";
export { type MountReport, type MountTarget, type VerifyMountOptions, verifyMount } from "./testing/verify-mount.ts";
