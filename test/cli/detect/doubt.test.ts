import { describe, expect, it } from "vitest";
import type { NamedCapture } from "../../../src/cli/capture.ts";
import { type Detection, detectScheme } from "../../../src/cli/detect.ts";
import { BODY, type CaptureOf, captured, hmac, SECONDS, SECRET } from "./captures.ts";

const hex = (...parts: readonly string[]) => hmac("sha256", SECRET, ...parts).toString("hex");

function detect(...captures: readonly (NamedCapture | CaptureOf)[]): Detection {
  return detectScheme(
    captures.map((one) => ("capture" in one ? one : captured(one))),
    [SECRET],
  );
}

describe("detect, if nothing matches", () => {
  const signed = { headers: { "X-Acme-Signature": hex(BODY) } };

  it("prints no scheme for a wrong secret, and reports the effort", () => {
    const detection = detectScheme([captured(signed)], ["another secret of 16 bytes or more"]);
    expect(detection).toMatchObject({ verdict: "none", findings: [], decides: [] });
    expect(detection.combinations).toBeGreaterThan(0);
    expect(detection.reasons[0]).toMatch(/secret is wrong/);
  });

  it.each([
    ["compact", JSON.stringify(JSON.parse(BODY)), /its white space was removed; the signed body is indented/],
    ["with a line break at its end", `${BODY}\n`, /a line break was added at its end/],
    ["with CRLF at its end", `${BODY}\r\n`, /a line break was added at its end/],
    ["with a byte order mark", `\uFEFF${BODY}`, /a byte order mark was added/],
  ])("rejects a body that was altered: %s", (how, body, reason) => {
    const original = how === "compact" ? JSON.stringify(JSON.parse(BODY), null, 2) : BODY;
    const detection = detect({ headers: { "X-Acme-Signature": hex(original) }, body });
    expect(detection).toMatchObject({ verdict: "none", findings: [] });
    expect(detection.reasons[0]).toMatch(reason);
    expect(detection.reasons[0]).toMatch(/^The body of one\.json was altered in transit/);
  });

  const VALUE = {
    event: "order.filled",
    url: "https://example.com/a",
    note: "café",
    data: { id: "ord_1", list: [1, { a: [] }], price: "10.00" },
  };
  const COMPACT = JSON.stringify(VALUE);
  // The output of json.dumps(value) in Python and of json_encode(value) in PHP.
  const PYTHON =
    '{"event": "order.filled", "url": "https://example.com/a", "note": "caf\\u00e9", "data": {"id": "ord_1", "list": [1, {"a": []}], "price": "10.00"}}';
  const PHP =
    '{"event":"order.filled","url":"https:\\/\\/example.com\\/a","note":"caf\\u00e9","data":{"id":"ord_1","list":[1,{"a":[]}],"price":"10.00"}}';

  it.each([
    ["compact", COMPACT, JSON.stringify(VALUE, null, 2)],
    ["indented by two", JSON.stringify(VALUE, null, 2), COMPACT],
    ["indented by four", JSON.stringify(VALUE, null, 4), COMPACT],
    ["indented by tabs", JSON.stringify(VALUE, null, "\t"), COMPACT],
    ["Python's", PYTHON, COMPACT],
    ["PHP's", PHP, COMPACT],
  ])("recognises a signature of the body as %s JSON", (_, original, body) => {
    const [reason] = detect({
      headers: { "X-T": SECONDS, "X-Acme-Signature": hex(SECONDS, ".", original) },
      body,
    }).reasons;
    expect(reason).toMatch(
      /was altered in transit: .*secret and the signature are right \(X-Acme-Signature: hex HMAC-SHA256/,
    );
  });

  it("names the captures that do not match, if others do", () => {
    const detection = detect(
      { ...signed, name: "first.json" },
      {
        headers: { "X-Acme-Signature": hex("another body, and a longer one than the first's") },
        name: "forged.json",
        body: `${BODY}  `,
      },
      { ...signed, name: "third.json" },
    );
    expect(detection.verdict).toBe("none");
    expect(detection.reasons).toEqual([
      expect.stringMatching(
        /^2 of 3 captures have a valid signature \(X-Acme-Signature: hex HMAC-SHA256.*\), but not forged\.json/,
      ),
    ]);
  });

  it.each<[string, CaptureOf, RegExp]>([
    [
      "a body cut short",
      { headers: { ...signed.headers, "Content-Length": "99999" }, body: BODY.slice(0, -9) },
      /Content-Length is 99999/,
    ],
    ["no signature", { headers: {} }, /No header of one\.json carries anything as long as a signature/],
    ["the secret itself", { headers: { "X-Acme-Token": SECRET } }, /X-Acme-Token carries the secret itself/],
    [
      "the secret as a bearer",
      { headers: { Authorization: `Bearer ${SECRET}` } },
      /Authorization carries the secret itself/,
    ],
    [
      "a JSON Web Token",
      { headers: { "X-Signature": "eyJhbGciOiJFUzI1NiJ9..MEUCIQDVNOQrKwKOXaFKrQ" } },
      /JSON Web Token/,
    ],
    ["an RSA signature", { headers: { "X-Signature": Buffer.alloc(256, 77).toString("base64") } }, /RSA/],
    ["an MD5", { headers: { "X-Signature": "0123456789abcdef0123456789abcdef" } }, /16 bytes in hex/],
    [
      "a compressed body",
      { headers: { ...signed.headers, "Content-Encoding": "gzip" }, body: "???" },
      /Content-Encoding/,
    ],
    ["an empty body", { headers: { "X-Acme-Signature": hex(BODY) }, body: "" }, /is empty/],
  ])("gives the reason for %s", (_, capture, reason) => {
    const detection = detect(capture);
    expect(detection).toMatchObject({ verdict: "none", findings: [] });
    expect(detection.reasons.join("\n")).toMatch(reason);
  });

  it("explains that a receiver needs the public key", () => {
    const detection = detectScheme([captured(signed)], [`whsk_${Buffer.alloc(32, 7).toString("base64")}`]);
    expect(detection.reasons.join("\n")).toMatch(/whsk_ is a private key/);
  });

  it("says that there is no capture", () => {
    expect(detectScheme([], [SECRET])).toMatchObject({
      verdict: "none",
      captures: 0,
      reasons: ["There is no capture."],
    });
  });
});

describe("detect, if several schemes match", () => {
  it("lists both headers that carry the same signature", () => {
    const detection = detect({ headers: { "X-Acme-Signature": hex(BODY), "X-Proxy-Signature": hex(BODY) } });
    expect(detection.verdict).toBe("several");
    expect(detection.findings.map(({ header }) => header)).toEqual(["X-Acme-Signature", "X-Proxy-Signature"]);
    expect(detection.decides[0]).toMatch(/X-Acme-Signature and X-Proxy-Signature each carry a valid signature/);
  });

  it("lists the stronger of two algorithms first", () => {
    const old = `sha1=${hmac("sha1", SECRET, BODY).toString("hex")}`;
    for (const headers of [
      { "X-Hub-Signature": old, "X-Hub-Signature-256": `sha256=${hex(BODY)}` },
      { "X-Hub-Signature": `${old},sha256=${hex(BODY)}` },
    ]) {
      const { verdict, findings, decides } = detect({ headers });
      expect(verdict).toBe("several");
      expect(findings.map(({ signature }) => signature)).toEqual([
        'hex HMAC-SHA256, after "sha256="',
        'hex HMAC-SHA1, after "sha1="',
      ]);
      expect(findings[1]?.warnings.join()).toMatch(/weak/);
      expect(decides).toHaveLength(1);
    }
  });

  it("lists all headers that carry the same timestamp, and says which capture would decide", () => {
    const headers = { "X-Time": SECONDS, "X-Sent": SECONDS, "X-Acme-Signature": hex(SECONDS, ".", BODY) };
    const { verdict, findings, decides } = detect({ headers });
    expect(verdict).toBe("several");
    expect(findings.map(({ signed }) => signed)).toEqual([
      'X-Time (unix seconds) + "." + raw body',
      'X-Sent (unix seconds) + "." + raw body',
    ]);
    expect(decides[0]).toMatch(/A capture in which they differ would decide/);

    const later = String(Number(SECONDS) + 1);
    const deciding = { "X-Time": later, "X-Sent": SECONDS, "X-Acme-Signature": hex(SECONDS, ".", BODY) };
    expect(detect({ headers }, { headers: deciding })).toMatchObject({
      verdict: "one",
      findings: [{ signed: 'X-Sent (unix seconds) + "." + raw body' }],
    });
  });

  it("prefers a header with a name like the signature's, and mentions the other", () => {
    const headers = { "X-Sent": SECONDS, "X-Acme-Time": SECONDS, "X-Acme-Signature": hex(SECONDS, ".", BODY) };
    const detection = detect({ headers });
    expect(detection).toMatchObject({
      verdict: "one",
      findings: [{ signed: 'X-Acme-Time (unix seconds) + "." + raw body' }],
    });
    expect(detection.findings[0]?.undecided.join()).toMatch(/The same text is in X-Sent as well/);
  });

  it("cannot decide the order of the parts with an empty body", () => {
    const headers = { "X-Time": SECONDS, "X-Acme-Signature": hex(SECONDS) };
    expect(detect({ headers, body: "" }).verdict).toBe("several");
    expect(
      detect({ headers, body: "" }, { headers: { ...headers, "X-Acme-Signature": hex(SECONDS, BODY) } }),
    ).toMatchObject({
      verdict: "one",
      findings: [{ signed: "X-Time (unix seconds) + raw body" }],
    });
  });

  it("finds one scheme for both header sets of Standard Webhooks", () => {
    const key = Buffer.alloc(24, 9);
    const signature = `v1,${hmac("sha256", key, `msg_1.${SECONDS}.`, BODY).toString("base64")}`;
    const set = (name: string) => ({
      [`${name}-id`]: "msg_1",
      [`${name}-timestamp`]: SECONDS,
      [`${name}-signature`]: signature,
    });
    const detection = detectScheme(
      [captured({ headers: { ...set("svix"), ...set("webhook") } })],
      [`whsec_${key.toString("base64")}`],
    );
    expect(detection).toMatchObject({ verdict: "one", findings: [{ scheme: "standardWebhooksSignature()" }] });
  });

  it("reports base64 or base64url as undecided, until a character decides", () => {
    const digest = (body: string) => hmac("sha256", SECRET, body).toString("base64");
    const bodies = Array.from({ length: 200 }, (_, n) => `${BODY}${" ".repeat(n)}`);
    const plain = bodies.find((body) => !/[+/]/.test(digest(body))) ?? "";
    const deciding = bodies.find((body) => /[+/]/.test(digest(body))) ?? "";
    const capture = (body: string, write = digest) => ({ headers: { "X-Acme-Signature": write(body) }, body });

    const open = detect(capture(plain));
    expect(open).toMatchObject({
      verdict: "one",
      findings: [{ scheme: 'hmacSignature({ header: "X-Acme-Signature", encoding: "base64" })' }],
    });
    expect(open.findings[0]?.undecided.join()).toMatch(/base64 or base64url/);

    const unpadded = detect(capture(plain, (body) => digest(body).replace("=", "")));
    expect(unpadded.findings[0]?.scheme).toBe('hmacSignature({ header: "X-Acme-Signature", encoding: "base64url" })');

    const decided = detect(capture(plain), capture(deciding));
    expect(decided).toMatchObject({ verdict: "one", findings: [{ undecided: [] }] });
  });
});

describe("detect, on text around a signature that seems to vary", () => {
  const KEY_ID = "0123456789abcdef0123456789abcdef01234567";
  const capture = (keyId: string, body = BODY) => ({ headers: { "X-Acme-Signature": `<${keyId}>${hex(body)}` }, body });

  it("finds the scheme, and reports the text as undecided", () => {
    const detection = detect(capture(KEY_ID));
    expect(detection).toMatchObject({
      verdict: "one",
      findings: [{ signature: `hex HMAC-SHA256, after "<${KEY_ID}>"` }],
    });
    expect(detection.findings[0]?.undecided.join()).toMatch(/seems to differ in each delivery/);
  });

  it("finds nothing that matches all captures if it does vary", () => {
    const changed = detect(capture(KEY_ID), capture(KEY_ID.replaceAll("0", "9"), `${BODY} `));
    expect(changed).toMatchObject({ verdict: "none", findings: [] });
    expect(changed.reasons[0]).toMatch(/1 of 2 captures have a valid signature/);
  });
});

describe("detect, on secrets", () => {
  const signed = captured({ headers: { "X-Acme-Signature": hex(BODY) } });

  it.each([
    [`"${SECRET}"`, /quotes/],
    [`'${SECRET}'`, /quotes/],
    [`${SECRET}\n`, /white space/],
    [` "${SECRET}" `, /white space.*quotes/],
  ])("names the mistake in the secret %j", (secret, warning) => {
    const detection = detectScheme([signed], [secret]);
    expect(detection).toMatchObject({
      verdict: "one",
      findings: [{ scheme: 'hmacSignature({ header: "X-Acme-Signature" })' }],
    });
    expect(detection.findings[0]?.warnings.join(" ")).toMatch(warning);
  });

  it("warns of a key that can be guessed", () => {
    const capture = captured({ headers: { "X-Acme-Signature": hmac("sha256", "short", BODY).toString("hex") } });
    const detection = detectScheme([capture], ["short"]);
    expect(detection.verdict).toBe("one");
    expect(detection.findings[0]?.warnings.join()).toMatch(/fewer than 16 bytes/);
  });

  it("reports which secret signed each capture", () => {
    const rotated = captured({
      headers: { "X-Acme-Signature": hmac("sha256", "the next secret, of 16 bytes", BODY).toString("hex") },
    });
    const detection = detectScheme([rotated, signed], [SECRET, "the next secret, of 16 bytes"]);
    expect(detection).toMatchObject({ verdict: "one", findings: [{ secretIndexes: [1, 0] }] });
  });

  it("prints neither a secret nor a signature", () => {
    for (const secret of [SECRET, `"${SECRET}"`, "wrong and of 16 bytes"]) {
      const printed = JSON.stringify(detectScheme([signed], [secret]));
      expect(printed).not.toContain(SECRET);
      expect(printed).not.toContain(hex(BODY));
    }
  });
});

describe("detect, if the URL is signed", () => {
  const capture = (url: string) => captured({ headers: { "X-Acme-Signature": hex(url, BODY) }, url });

  it("uses the URLs that are given", () => {
    const url = "https://public.example.com/hooks?a=1";
    const signed = captured({ headers: { "X-Acme-Signature": hex(url, BODY) } });
    expect(detectScheme([signed], [SECRET]).verdict).toBe("none");
    const detection = detectScheme([signed], [SECRET], { urls: [url] });
    expect(detection).toMatchObject({ verdict: "one", findings: [{ signed: "URL + raw body" }] });
    expect(detection.findings[0]?.code).toContain(`const URL_SIGNED = ${JSON.stringify(url)};`);
  });

  it("explains that no scheme can verify a URL that varies", () => {
    const detection = detect(capture("/webhooks?try=1"), capture("/webhooks?try=2"));
    expect(detection).toMatchObject({ verdict: "one", findings: [{ code: undefined }] });
    expect(detection.findings[0]?.warnings.join()).toMatch(/no scheme can verify this/);
  });
});
