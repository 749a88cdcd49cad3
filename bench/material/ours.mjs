// Verify and parse with each scheme of the package.
import {
  bluumSignature,
  hmacSignature,
  parseEvent,
  standardWebhooksSignature,
  timestampedSignature,
} from "bluum-webhooks";
import { SECRET } from "./signatures.mjs";

/** Each scheme, with the signature form that it reads. */
export const SCHEMES = [
  { name: "ours: bluumSignature", signed: "bluum", verify: verifierOf(bluumSignature()) },
  {
    name: "ours: hmacSignature",
    signed: "github",
    verify: verifierOf(hmacSignature({ header: "X-Hub-Signature-256", prefix: "sha256=" })),
  },
  {
    name: "ours: timestampedSignature",
    signed: "stripe",
    verify: verifierOf(timestampedSignature({ header: "Stripe-Signature" })),
  },
  { name: "ours: standardWebhooksSignature", signed: "standard", verify: verifierOf(standardWebhooksSignature()) },
];

function verifierOf(scheme) {
  const keys = [scheme.prepare(SECRET)];
  const id = { id: "evt_1" };
  return function verifyAndParse(body, headers) {
    const presented = scheme.read((name) => headers[name.toLowerCase()]);
    const verified = scheme.verify(presented, body, keys, Date.now());
    if (typeof verified === "string") throw new Error(verified);
    return parseEvent(body, id);
  };
}
