/** The entry point `bluum-webhooks/testing`: signed deliveries and sample events, the check of a mount, the contract tests of stores and inboxes. */
export * from "./inbox-contract.ts";
export { type MountCause, MountError, type MountFinding } from "./mount-findings.ts";
export { type SampleData, type SampleOverrides, type SamplePayload, sampleEvent } from "./samples.ts";
export * from "./sign.ts";
export * from "./store-contract.ts";
export { type MountReport, type MountTarget, type VerifyMountOptions, verifyMount } from "./verify-mount.ts";
