import type { Outcome } from "./outcome.ts";
import { statusOf } from "./reply.ts";
import type { ReportRecorder } from "./report.ts";

/** Reports an outcome on which no work follows. */
export function reported<Final extends Exclude<Outcome, { kind: "accepted" }>>(
  outcome: Final,
  report: ReportRecorder,
): Final {
  const code = outcome.kind === "in_flight" ? "event_in_flight" : undefined;
  report.send({ outcome: outcome.kind, status: statusOf(outcome), code });
  return outcome;
}
