import { WebhookError } from "../errors.ts";

/** The kinds of problem with a mount, for programs. The causes are API: they do not change in a minor version. */
export type MountCause =
  | "forgery_accepted"
  | "body_parsed"
  | "body_reserialized"
  | "body_transcoded"
  | "body_truncated"
  | "body_compressed"
  | "body_altered"
  | "body_limit"
  | "wrong_secret"
  | "wrong_scheme"
  | "wrong_header"
  | "header_stripped"
  | "clock_skew"
  | "wrong_method"
  | "wrong_path"
  | "redirected"
  | "access_denied"
  | "other_app"
  | "app_failed"
  | "not_ready"
  | "no_connection"
  | "tls_failed"
  | "timed_out"
  | "aborted";

/** One problem with a mount. */
export interface MountFinding {
  /** The kind of problem, for programs. */
  readonly cause: MountCause;
  /** What was observed, for people. Never contains the secret or a signature, and at most 100 characters of an answer. */
  readonly message: string;
  /** What to change. */
  readonly remedy: string;
}

const REMEDY: Readonly<Record<MountCause, string>> = {
  forgery_accepted:
    "Let nothing answer 2xx before the receiver has verified the request, and let no request bypass it.",
  body_parsed: "Mount the receiver before the parser, or let the parser keep the bytes in req.rawBody.",
  body_reserialized: "Pass on the bytes unchanged; nothing before the receiver may parse the JSON and print it again.",
  body_transcoded:
    "Pass on the bytes unchanged; nothing before the receiver may decode them to text and encode them again.",
  body_truncated: "Raise the limit of the parser or proxy that cuts the body, or make it refuse large bodies with 413.",
  body_compressed: "Turn off compression of requests between the sender and the receiver.",
  body_altered:
    "Find what wraps, encodes or compresses request bodies before the receiver, and pass on the bytes unchanged.",
  body_limit: "Raise the limit that refuses it: maxBodyBytes of the receiver, or that of a body parser or proxy.",
  wrong_secret:
    "Give both the secret of this endpoint in this environment; look for quotes in it, a mixed-up stage, or a list such as old,new that is given as one secret.",
  wrong_scheme: "Give createReceiver and verifyMount the scheme by which the provider signs.",
  wrong_header:
    "Give createReceiver and verifyMount a scheme with the header in which the provider sends its signature.",
  header_stripped:
    "Make every proxy and middleware pass on the signature header, or give verifyMount the header that the receiver reads.",
  clock_skew: "Synchronise both clocks (NTP), and check the receiver's option now if it is set.",
  wrong_method: "Mount the receiver for POST.",
  wrong_path: "Use the path of the mounted receiver, with the prefixes of routers and proxies.",
  redirected:
    "Use the final URL, here and where the endpoint is registered; signed deliveries do not follow redirects.",
  access_denied:
    "Exempt the path from log-in, CSRF protection, rate limits and bot protection; the signature guards it.",
  other_app: "Check host, port, path and routing rules: the request must reach your app and its receiver.",
  app_failed: "Read the app's log; something throws before or inside the receiver.",
  not_ready: "Wait until the app is ready, read its log, and check again.",
  no_connection: "Check host, port, DNS and firewall, and whether the app listens there.",
  tls_failed:
    "Install a certificate that is valid for this host, with its whole chain; check whether http and https are mixed up.",
  timed_out:
    "Look for middleware that never answers, or waits for a body that was already read; raise timeoutMs if it is only slow.",
  aborted: "Run the check again without aborting the signal.",
};

/** Makes a finding with the remedy of its cause. */
export function finding(cause: MountCause, message: string): MountFinding {
  return { cause, message, remedy: REMEDY[cause] };
}

/** The error of `verifyMount`. `findings` lists the problems; `message` describes all of them. */
export class MountError extends WebhookError {
  override readonly name: string = "MountError";
  /** The problems, the most serious first; at least one. */
  readonly findings: readonly MountFinding[];

  constructor(where: string, findings: readonly MountFinding[], details: { readonly cause?: unknown } = {}) {
    const lines = findings.map(({ cause, message, remedy }) => `${cause}: ${message} ${remedy}`);
    super("mount_broken", `the mount at ${where} is not sound\n${lines.join("\n")}`, details);
    this.findings = findings;
  }
}
