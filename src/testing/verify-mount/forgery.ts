import { finding, type MountFinding } from "../mount-findings.ts";
import { isOutOfTime, isSuccess, shown } from "./answer.ts";
import type { Mount } from "./mount.ts";
import { PING, PLAIN } from "./pings.ts";
import { noAnswer } from "./routing.ts";

/** Checks that an unsigned request, and one with the signature of another body, are not answered 2xx. */
export async function forgeryFindings(mount: Mount): Promise<MountFinding[]> {
  const probes = [
    ["An unsigned request", await mount.send({ body: PLAIN })],
    ["A request with the signature of another body", await mount.send({ body: PLAIN, headers: mount.sign(PING) })],
  ] as const;
  const accepted = probes.filter(([, answer]) => isSuccess(answer));
  const unanswered = probes.map(([, answer]) => answer).filter(isOutOfTime);
  return [
    ...accepted.map(([what, answer]) => finding("forgery_accepted", `${what} is answered ${shown(answer)}.`)),
    ...unanswered.slice(0, 1).map(noAnswer),
  ];
}
