/** The door `bluum-webhooks/testing`: signed deliveries and sample events for your tests, and the contract of a dedupe store. */
export { type SampleData, type SampleOverrides, type SamplePayload, sampleEvent } from "./testing/samples.ts";
export * from "./testing/sign.ts";
export * from "./testing/store-contract.ts";
