/** The door `bluum-webhooks/testing`: signed deliveries and samples for your tests, the check of a mount, the contract of a store. */
export { type MountCause, MountError, type MountFinding } from "./mount-findings.ts";
export { type SampleData, type SampleOverrides, type SamplePayload, sampleEvent } from "./samples.ts";
export * from "./sign.ts";
export * from "./store-contract.ts";
export { type MountReport, type MountTarget, type VerifyMountOptions, verifyMount } from "./verify-mount.ts";
