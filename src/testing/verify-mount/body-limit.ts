import { finding, type MountFinding } from "../mount-findings.ts";
import { isOutOfTime, shown } from "./answer.ts";
import { compressedBody, truncatedBody } from "./body.ts";
import type { Mount } from "./mount.ts";
import { PING, pingOf } from "./pings.ts";
import { noAnswer } from "./routing.ts";

/** Checks that a ping of `bytes` bytes is answered as a small one is; if not, finds the largest size that is. */
export async function bodyLimitFindings(mount: Mount, bytes: number): Promise<MountFinding[]> {
  const large = pingOf(bytes);
  const answer = await mount.signed(large);
  if (answer.ping) return [];
  if (isOutOfTime(answer)) return [noAnswer(answer)];
  if (answer.code === "content_encoding_unsupported") return [compressedBody(large.length)];
  const passes = `one of ${await largestThatPasses(mount, bytes)} bytes passes`;
  if (/^(signature_mismatch|body_incomplete|body_timeout)$/.test(answer.code ?? ""))
    return [truncatedBody(large.length, passes)];
  const how = answer.status === 0 ? "gets no answer" : `is answered ${shown(answer)}`;
  return [finding("body_limit", `A body of ${large.length} bytes ${how}; ${passes}.`)];
}

/** Doubles the body until it does not pass. */
async function largestThatPasses(mount: Mount, below: number): Promise<number> {
  let largest = PING.length;
  for (let bytes = 256; bytes < below; bytes *= 2) {
    if (!(await mount.signed(pingOf(bytes))).ping) break;
    largest = bytes;
  }
  return largest;
}
