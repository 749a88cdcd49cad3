/**
 * For tests: signed deliveries, sample events, the check of a mount, and the contracts of stores and inboxes.
 *
 * @example
 * import { sampleEvent, signDelivery } from "bluum-webhooks/testing";
 *
 * const secret = "a secret of 16 bytes or more";
 * const delivery = signDelivery({ secret, event: sampleEvent("order.filled") });
 * const response = await fetch("http://localhost:3000/webhooks/bluum", delivery);
 *
 * @module bluum-webhooks/testing
 */

export * from "./inbox-contract.ts";
export { type MountCause, MountError, type MountFinding } from "./mount-findings.ts";
export { type SampleData, type SampleOverrides, type SamplePayload, sampleEvent } from "./samples.ts";
export * from "./sign.ts";
export * from "./store-contract.ts";
export { type MountReport, type MountTarget, type VerifyMountOptions, verifyMount } from "./verify-mount.ts";
