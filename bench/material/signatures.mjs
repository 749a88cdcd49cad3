// Signs a body in each form that our schemes and the rivals read.
import { createHmac } from "node:crypto";

/** One secret for all: Standard Webhooks takes what follows `whsec_` as base64, the others take it as it is. */
export const SECRET = `whsec_${Buffer.from("a secret of the benchmark, thirty-two").toString("base64")}`;

const SHARED_KEY = Buffer.from(SECRET.slice("whsec_".length), "base64");

/** The headers of each way, names in lower case as Node has them. */
export const SIGNED = {
  bluum: (body) => ({ "x-bluum-signature": hex(body) }),
  github: (body) => ({
    "x-github-event": "push",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "x-hub-signature-256": `sha256=${hex(body)}`,
  }),
  stripe: (body, seconds = now()) => ({ "stripe-signature": `t=${seconds},v1=${hex(`${seconds}.`, body)}` }),
  standard: (body, seconds = now()) => standard("webhook", body, seconds),
  svix: (body, seconds = now()) => standard("svix", body, seconds),
};

/** The hex HMAC of the parts under the whole secret. */
function hex(...parts) {
  const hmac = createHmac("sha256", SECRET);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}

function standard(set, body, seconds) {
  const id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
  const mac = createHmac("sha256", SHARED_KEY).update(`${id}.${seconds}.`).update(body).digest("base64");
  return { [`${set}-id`]: id, [`${set}-timestamp`]: String(seconds), [`${set}-signature`]: `v1,${mac}` };
}

function now() {
  return Math.floor(Date.now() / 1_000);
}
