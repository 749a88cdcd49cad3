import { WebhookError } from "../errors.ts";

/** What can be wrong with a mount, for programs. The causes are API: they do not change in a minor version. */
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

/** One thing that is wrong. */
export interface MountFinding {
  /** Which, for programs. */
  readonly cause: MountCause;
  /** What was seen, for people. It never holds the secret or a signature, and of an answer a few words at most. */
  readonly message: string;
  /** What to change. */
  readonly remedy: string;
}

const REMEDY: Readonly<Record<MountCause, string>> = {
  forgery_accepted:
    "Let nothing answer 2xx before the receiver has verified the request, and let nothing go around it.",
  body_parsed: "Mount the receiver before the parser, or let the parser keep the bytes in req.rawBody.",
  body_reserialized:
    "Hand the bytes on as they came; nothing before the receiver may parse the JSON and print it again.",
  body_transcoded:
    "Hand the bytes on as they came; nothing before the receiver may decode them to text and encode them again.",
  body_truncated: "Raise the limit of what cuts the body, so that it hands on the whole or refuses it with 413.",
  body_compressed: "Turn compression of requests off between the sender and the receiver.",
  body_altered:
    "Look for what wraps, encodes or compresses request bodies before the receiver, and hand the bytes on as they came.",
  body_limit: "Raise the limit of what refuses it: maxBodyBytes of the receiver, a body parser's, or the proxy's.",
  wrong_secret:
    "Give both the same secret, that of this endpoint in this environment; look for quotes or a stage mixed up.",
  wrong_scheme: "Give createReceiver and verifyMount the same scheme, the one by which the provider signs.",
  wrong_header: "Name the header by which the provider signs in the scheme of createReceiver and of verifyMount.",
  header_stripped:
    "Let every proxy and middleware pass the signature header on, or name the header that the receiver reads.",
  clock_skew: "Set the clocks right (NTP), and look at the receiver's option now if it has one.",
  wrong_method: "Mount the receiver for POST.",
  wrong_path: "Call the path at which the receiver is mounted, prefixes of routers and proxies included.",
  redirected: "Use the final URL, here and where the endpoint is registered; signed deliveries follow no redirect.",
  access_denied:
    "Exempt the path from log-in, CSRF protection, rate limits and bot protection; the signature guards it.",
  other_app: "Check host, port, path and routing rules, so that the request reaches your app and its receiver.",
  app_failed: "Read the app's log; something throws before or inside the receiver.",
  not_ready: "Wait until the app is up, and read its log; then check again.",
  no_connection: "Check host, port, DNS and firewall, and that the app listens there.",
  tls_failed: "Install a certificate that is valid for this host, with its whole chain; check http against https.",
  timed_out:
    "Look for middleware that never answers or waits for a body that was read; raise timeoutMs if it is only slow.",
  aborted: "Check again without aborting the signal.",
};

/** A finding, with the remedy of its cause. */
export function finding(cause: MountCause, message: string): MountFinding {
  return { cause, message, remedy: REMEDY[cause] };
}

/** What `verifyMount` rejects with: `findings` says what is wrong, and `message` is all of it in words. */
export class MountError extends WebhookError {
  override readonly name: string = "MountError";
  /** What is wrong, the weightiest first; at least one. */
  readonly findings: readonly MountFinding[];

  constructor(where: string, findings: readonly MountFinding[], details: { readonly cause?: unknown } = {}) {
    const lines = findings.map(({ cause, message, remedy }) => `${cause}: ${message} ${remedy}`);
    super("mount_broken", `the mount at ${where} is not sound\n${lines.join("\n")}`, details);
    this.findings = findings;
  }
}
