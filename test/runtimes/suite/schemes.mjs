import { same } from "../checklist.mjs";
import { bytes, delivery, mount } from "./mount.mjs";
import { VECTORS } from "./vectors.mjs";

/** Every scheme: as OpenSSL signs, and as it signs itself. */
export function schemes(check, doors) {
  const core = doors["."];
  for (const [name, { scheme: make, secrets, body, messageId, nowMs = 0, headers }] of Object.entries(VECTORS)) {
    const scheme = make(core);
    const verdict = (sent, changed = body, at = nowMs) => {
      const presented = scheme.read((header) => lookUp(sent, header));
      if (typeof presented === "string") return presented;
      return scheme.verify(presented, bytes(changed), [scheme.prepare(secrets.verify)], at);
    };

    check(`${name}: signs as OpenSSL does`, () => {
      same("headers", scheme.sign({ secret: secrets.sign, body: bytes(body), messageId, nowMs }), headers);
    });

    check(`${name}: verifies what OpenSSL signed, and no other body`, () => {
      same("genuine", verdict(headers), { secretIndex: 0, ...(messageId && { messageId }) });
      same("changed", verdict(headers, `${body} `), "signature_mismatch");
      if (scheme.signsTimestamp)
        same("an hour later", verdict(headers, body, nowMs + 3_600_000), "timestamp_out_of_tolerance");
    });

    check(`${name}: a delivery that it signs is accepted over fetch, and a foreign one is not`, async () => {
      const { send } = mount(doors, { scheme, secret: secrets.verify });
      const sent = delivery(doors, { scheme, secret: secrets.sign });
      same("genuine", await send(sent), "200");
      same("duplicate", await send(sent), "200 duplicate");
      same("forged", await send({ ...sent, body: sent.body.replace("178.50", "978.50") }), "401 signature_mismatch");
    });
  }

  check("ed25519: what is no point of the curve, or no signature, is a mismatch and no exception", () => {
    const scheme = core.standardWebhooksSignature();
    const { headers, body, nowMs, secrets } = VECTORS["standard webhooks, v1a (ed25519)"];
    const noPoint = `whpk_${"/".repeat(42)}8=`;
    for (const [secret, signature] of [
      [secrets.verify, `v1a,${"/".repeat(85)}w==`],
      [secrets.verify, `v1a,${"A".repeat(86)}==`],
      [noPoint, headers["webhook-signature"]],
    ]) {
      const presented = scheme.read((header) => lookUp({ ...headers, "webhook-signature": signature }, header));
      same(secret, scheme.verify(presented, bytes(body), [scheme.prepare(secret)], nowMs), "signature_mismatch");
    }
  });

  check("both versions of Standard Webhooks are verified side by side, each with its own key", () => {
    const scheme = core.standardWebhooksSignature();
    const [v1, v1a] = ["standard webhooks, v1", "standard webhooks, v1a (ed25519)"].map((name) => VECTORS[name]);
    const keys = [v1a, v1].map(({ secrets }) => scheme.prepare(secrets.verify));
    const both = `${v1.headers["webhook-signature"]} ${v1a.headers["webhook-signature"]}`;
    const presented = scheme.read((header) => lookUp({ ...v1.headers, "webhook-signature": both }, header));
    same("both", scheme.verify(presented, bytes(v1.body), keys, v1.nowMs).secretIndex, 0);
    same("shared only", scheme.verify(presented, bytes(v1.body), keys.slice(1), v1.nowMs).secretIndex, 0);
  });
}

function lookUp(headers, name) {
  const found = Object.entries(headers).find(([other]) => other.toLowerCase() === name.toLowerCase());
  return found?.[1];
}
