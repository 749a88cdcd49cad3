import { Buffer } from "node:buffer";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { checks } from "../checks.ts";
import type { State } from "../state/state.ts";

/** The API key and secret of a client of the management API. */
export interface Credentials {
  readonly apiKey: string;
  readonly apiSecret: string;
}

/** Whose credentials a call carries. */
export type Caller = "tenant" | "investor" | "unknown";

/**
 * The credentials stored under a name: those given, else those of the previous run, else random ones.
 *
 * @throws WebhookError `configuration_invalid` for a key that HTTP Basic cannot carry
 */
export function credentialsFor(name: string, given: Partial<Credentials>, state: State): Credentials {
  const kept = JSON.parse(state.kept(name) ?? "{}") as Partial<Credentials>;
  const credentials = {
    apiKey: given.apiKey ?? kept.apiKey ?? `bk_sandbox_${randomBytes(9).toString("hex")}`,
    apiSecret: given.apiSecret ?? kept.apiSecret ?? `bs_sandbox_${randomBytes(18).toString("hex")}`,
  };
  if (!/^[^:\p{Cc}]+$/u.test(credentials.apiKey)) throw checks.invalid("apiKey", "must be a string without a colon");
  if (!/^\P{Cc}+$/u.test(credentials.apiSecret)) throw checks.invalid("apiSecret", "must be a string");
  state.keep(name, JSON.stringify(credentials));
  return credentials;
}

/** Identifies callers by their `Authorization: Basic` header. */
export function callerBy(tenant: Credentials, investor: Credentials): (authorization: string | undefined) => Caller {
  const [tenants, investors] = [digest(pair(tenant)), digest(pair(investor))];
  return (authorization = "") => {
    const [, base64 = ""] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization) ?? [];
    const presented = digest(Buffer.from(base64, "base64").toString("utf8"));
    if (timingSafeEqual(presented, tenants)) return "tenant";
    return timingSafeEqual(presented, investors) ? "investor" : "unknown";
  };
}

function pair({ apiKey, apiSecret }: Credentials): string {
  return `${apiKey}:${apiSecret}`;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
