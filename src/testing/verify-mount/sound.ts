import { finding, type MountFinding } from "../mount-findings.ts";
import type { Answer } from "./answer.ts";
import { compressedBody, cutBody } from "./body.ts";
import type { Mount } from "./mount.ts";
import { PING, PLAIN, pingOf } from "./pings.ts";
import { isSuccess, noAnswer, shown } from "./way.ts";

/** Where a ping is answered: whether anything unsigned, or signed for another body, is acknowledged. */
export async function forgeries(mount: Mount): Promise<MountFinding[]> {
  const tries = [
    ["An unsigned request", await mount.send({ body: PLAIN })],
    ["A request with the signature of another body", await mount.send({ body: PLAIN, headers: mount.sign(PING) })],
  ] as const;
  const accepted = tries.filter(([, answer]) => isSuccess(answer));
  const unfinished = tries.filter(([, answer]) => outOfTime(answer)).map(([, answer]) => noAnswer(answer));
  return [
    ...accepted.map(([what, answer]) => finding("forgery_accepted", `${what} is answered ${shown(answer)}.`)),
    ...unfinished.slice(0, 1),
  ];
}

/** Where a small ping is answered: whether one of so many bytes is. */
export async function largeBodies(mount: Mount, bytes: number): Promise<MountFinding[]> {
  const large = pingOf(bytes);
  const answer = await mount.signed(large);
  if (answer.ping) return [];
  if (outOfTime(answer)) return [noAnswer(answer)];
  if (answer.code === "content_encoding_unsupported") return [compressedBody(large.length)];
  const passes = `one of ${await largestThatPasses(mount, bytes)} bytes passes`;
  if (/^(signature_mismatch|body_incomplete|body_timeout)$/.test(answer.code ?? ""))
    return [cutBody(large.length, passes)];
  const how = answer.status === 0 ? "gets no answer" : `is answered ${shown(answer)}`;
  return [finding("body_limit", `A body of ${large.length} bytes ${how}; ${passes}.`)];
}

/** Doubles a body until it does not pass. */
async function largestThatPasses(mount: Mount, below: number): Promise<number> {
  let largest = PING.length;
  for (let bytes = 256; bytes < below; bytes *= 2) {
    if (!(await mount.signed(pingOf(bytes))).ping) break;
    largest = bytes;
  }
  return largest;
}

function outOfTime({ failure }: Answer): boolean {
  return failure === "timed_out" || failure === "aborted";
}
