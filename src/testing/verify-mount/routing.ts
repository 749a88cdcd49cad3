import { finding, type MountFinding } from "../mount-findings.ts";
import { type Answer, type Failure, isSuccess, shown } from "./answer.ts";
import type { Mount } from "./mount.ts";
import { PLAIN } from "./pings.ts";

/** No answer came. */
export function noAnswer({ failure = "no_connection", excerpt }: Answer): MountFinding {
  const detail = excerpt === "" ? "" : ` (${excerpt})`;
  const [cause, message] = SILENCE[failure];
  return finding(cause, `${message}${detail}.`);
}

const SILENCE: Readonly<Record<Failure, readonly [MountFinding["cause"], string]>> = {
  timed_out: ["timed_out", "There was no whole answer in time"],
  aborted: ["aborted", "The signal was aborted before there was an answer"],
  no_connection: ["no_connection", "There is no connection, or it ended without an answer"],
  tls_failed: ["tls_failed", "The TLS connection failed"],
  no_http: ["other_app", "What answers there speaks no HTTP"],
  threw: ["app_failed", "The app threw, or returned no Response"],
  unsignable: ["wrong_scheme", "The scheme cannot sign with this secret"],
};

/** The path is unknown there, or known for another method only. */
export async function notFound(answer: Answer, mount: Mount): Promise<MountFinding> {
  const got = await mount.send({ method: "GET" });
  if (got.code === "method_not_allowed") {
    return finding(
      "wrong_method",
      `The receiver hears a GET request on this path, and a POST request is answered ${shown(answer)}.`,
    );
  }
  for (const path of pathsNear(mount.path)) {
    if (!(await mount.signed(PLAIN, { path })).ping) continue;
    return finding(
      "wrong_path",
      `Nothing is mounted at ${mount.path} (${shown(answer)}); the receiver answers at ${path}.`,
    );
  }
  return finding("wrong_path", `Nothing is mounted at ${mount.path}: POST is answered ${shown(answer)}.`);
}

/** POST is not allowed, or something else than POST arrived. */
export function notAllowed(answer: Answer): MountFinding {
  if (answer.code === "method_not_allowed") {
    return finding(
      "wrong_method",
      "A POST request was sent, and the receiver got another method: a proxy or middleware changes it.",
    );
  }
  const allow = answer.header("allow");
  const others = allow === undefined ? "" : ` Allowed are: ${allow}.`;
  return finding("wrong_method", `POST is answered ${shown(answer)}.${others}`);
}

/** The answer leads elsewhere. */
export function redirected(answer: Answer, mount: Mount): MountFinding {
  const location = targetOf(answer.header("location"), mount.where);
  return finding("redirected", `The request is redirected (${answer.status})${location}.`);
}

/** A 2xx that is not a receiver's: something else answers, and maybe it acknowledges everything. */
export async function impostor(answer: Answer, mount: Mount): Promise<MountFinding> {
  const unsigned = await mount.send({ body: PLAIN });
  if (isSuccess(unsigned) && unsigned.acknowledges) {
    const said = "an unsigned request is acknowledged just as well";
    return finding(
      "forgery_accepted",
      `What answers there (${shown(answer)}) is no receiver, and ${said}: nothing is verified.`,
    );
  }
  return finding("other_app", `What answers there is no receiver: ${shown(answer)}.`);
}

function pathsNear(path: string): string[] {
  const other = path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
  return [other, "/webhooks/bluum"].filter((near) => near !== "" && near !== path);
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
