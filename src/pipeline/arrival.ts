import type { Delivery } from "../delivery.ts";
import type { ReceivingTelemetry } from "../telemetry/telemetry.ts";
import type { Deadline } from "./deadline.ts";
import type { ReportRecorder } from "./report.ts";

/** A delivery, and what goes with it through the receiver. */
export interface Arrival {
  readonly delivery: Delivery;
  readonly deadline: Deadline | undefined;
  readonly report: ReportRecorder;
  readonly receiving: ReceivingTelemetry | undefined;
}
