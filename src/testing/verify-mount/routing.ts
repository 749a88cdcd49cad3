import { finding, type MountFinding } from "../mount-findings.ts";
import { type Answer, type Failure, isSuccess, shown } from "./answer.ts";
import type { Mount } from "./mount.ts";
import { PLAIN } from "./pings.ts";

/** The finding for a probe without an answer. */
export function noAnswer({ failure = "no_connection", excerpt }: Answer): MountFinding {
  const detail = excerpt === "" ? "" : ` (${excerpt})`;
  const [cause, message] = NO_ANSWER[failure];
  return finding(cause, `${message}${detail}.`);
}

const NO_ANSWER: Readonly<Record<Failure, readonly [MountFinding["cause"], string]>> = {
  timed_out: ["timed_out", "There was no complete answer in time"],
  aborted: ["aborted", "The signal was aborted before there was an answer"],
  no_connection: ["no_connection", "There was no connection, or it ended without an answer"],
  tls_failed: ["tls_failed", "The TLS connection failed"],
  no_http: ["other_app", "The server does not speak HTTP"],
  threw: ["app_failed", "The app threw, or did not return a Response"],
  unsignable: ["wrong_scheme", "The scheme cannot sign with this secret"],
};

/** The path is not known, or only for another method. */
export async function notFound(answer: Answer, mount: Mount): Promise<MountFinding> {
  const got = await mount.send({ method: "GET" });
  if (got.code === "method_not_allowed") {
    return finding(
      "wrong_method",
      `GET requests to this path reach the receiver, but a POST request is answered ${shown(answer)}.`,
    );
  }
  for (const path of similarPaths(mount.path)) {
    if (!(await mount.signed(PLAIN, { path })).ping) continue;
    return finding(
      "wrong_path",
      `Nothing is mounted at ${mount.path} (${shown(answer)}); the receiver answers at ${path}.`,
    );
  }
  return finding("wrong_path", `Nothing is mounted at ${mount.path}: POST is answered ${shown(answer)}.`);
}

/** POST is not allowed, or arrived as another method. */
export function notAllowed(answer: Answer): MountFinding {
  if (answer.code === "method_not_allowed") {
    return finding(
      "wrong_method",
      "A POST request was sent, but the receiver got another method: a proxy or middleware changes it.",
    );
  }
  const allow = answer.header("allow");
  const others = allow === undefined ? "" : ` Allowed are: ${allow}.`;
  return finding("wrong_method", `POST is answered ${shown(answer)}.${others}`);
}

/** The answer is a redirect. */
export function redirected(answer: Answer, mount: Mount): MountFinding {
  const location = targetOf(answer.header("location"), mount.where);
  return finding("redirected", `The request is redirected (${answer.status})${location}.`);
}

/** The answer is a 2xx, but not from a receiver. Something else answers, perhaps to everything. */
export async function notReceiver(answer: Answer, mount: Mount): Promise<MountFinding> {
  const unsigned = await mount.send({ body: PLAIN });
  if (isSuccess(unsigned) && unsigned.acknowledges) {
    const unsignedToo = "an unsigned request is acknowledged as well";
    return finding(
      "forgery_accepted",
      `The answer (${shown(answer)}) is not from a receiver, and ${unsignedToo}: nothing is verified.`,
    );
  }
  return finding("other_app", `The answer is not from a receiver: ${shown(answer)}.`);
}

function similarPaths(path: string): string[] {
  const other = path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
  return [other, "/webhooks/bluum"].filter((similar) => similar !== "" && similar !== path);
}

function targetOf(location: string | undefined, from: string): string {
  if (location === undefined) return "";
  try {
    const { origin, pathname } = new URL(location, from);
    return ` to ${origin}${pathname}`;
  } catch {
    return "";
  }
}
