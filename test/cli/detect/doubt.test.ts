import { describe, expect, it } from "vitest";
import { type Detection, detectScheme, type NamedCapture } from "../../../src/cli/detect.ts";
import { BODY, type CaptureOf, captured, hmac, SECONDS, SECRET } from "./captures.ts";

const hex = (...parts: readonly string[]) => hmac("sha256", SECRET, ...parts).toString("hex");

function detect(...captures: readonly (NamedCapture | CaptureOf)[]): Detection {
  return detectScheme(
    captures.map((one) => ("capture" in one ? one : captured(one))),
    [SECRET],
  );
}

describe("detect, where nothing matches", () => {
  const signed = { headers: { "X-Acme-Signature": hex(BODY) } };

  it("prints no scheme for a wrong secret, and says what was tried", () => {
    const detection = detectScheme([captured(signed)], ["another secret of 16 bytes or more"]);
    expect(detection).toMatchObject({ verdict: "none", findings: [], decides: [] });
    expect(detection.combinations).toBeGreaterThan(0);
    expect(detection.reasons[0]).toMatch(/secret is another one/);
  });

  it.each([
    [
      "printed compactly",
      JSON.stringify(JSON.parse(BODY)),
      /its white space was taken out; what was signed is indented/,
    ],
    ["with a line break at its end", `${BODY}\n`, /a line break was added at its end/],
    ["with CRLF at its end", `${BODY}\r\n`, /a line break was added at its end/],
    ["with a byte order mark", `\uFEFF${BODY}`, /a byte order mark was put before it/],
  ])("does not take a body for genuine that came %s", (how, body, reason) => {
    const original = how === "printed compactly" ? JSON.stringify(JSON.parse(BODY), null, 2) : BODY;
    const detection = detect({ headers: { "X-Acme-Signature": hex(original) }, body });
    expect(detection).toMatchObject({ verdict: "none", findings: [] });
    expect(detection.reasons[0]).toMatch(reason);
    expect(detection.reasons[0]).toMatch(/^The body of one\.json was altered on the way/);
  });

  const VALUE = {
    event: "order.filled",
    url: "https://example.com/a",
    note: "café",
    data: { id: "ord_1", list: [1, { a: [] }], price: "10.00" },
  };
  const COMPACT = JSON.stringify(VALUE);
  // json.dumps(value) and json_encode(value), as Python and PHP print them.
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
  ])("notices that what was signed was %s", (_, original, body) => {
    const [reason] = detect({
      headers: { "X-T": SECONDS, "X-Acme-Signature": hex(SECONDS, ".", original) },
      body,
    }).reasons;
    expect(reason).toMatch(/was altered on the way: .*Secret and signature agree \(X-Acme-Signature: hex HMAC-SHA256/);
  });

  it("says for which captures something holds, where it does not hold for all", () => {
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
      expect.stringMatching(/^X-Acme-Signature: hex HMAC-SHA256.* holds for 2 of 3 captures, not for forged\.json/),
    ]);
  });

  it.each<[string, CaptureOf, RegExp]>([
    [
      "a body cut short",
      { headers: { ...signed.headers, "Content-Length": "99999" }, body: BODY.slice(0, -9) },
      /Content-Length says/,
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
  ])("says so for %s", (_, capture, reason) => {
    const detection = detect(capture);
    expect(detection).toMatchObject({ verdict: "none", findings: [] });
    expect(detection.reasons.join("\n")).toMatch(reason);
  });

  it("says that a private key is none of the receiver's", () => {
    const detection = detectScheme([captured(signed)], [`whsk_${Buffer.alloc(32, 7).toString("base64")}`]);
    expect(detection.reasons.join("\n")).toMatch(/whsk_ is a private key/);
  });

  it("has nothing to say without captures", () => {
    expect(detectScheme([], [SECRET])).toMatchObject({
      verdict: "none",
      captures: 0,
      reasons: ["There is no capture."],
    });
  });
});

describe("detect, where more than one matches", () => {
  it("tells of both headers that carry one signature", () => {
    const detection = detect({ headers: { "X-Acme-Signature": hex(BODY), "X-Proxy-Signature": hex(BODY) } });
    expect(detection.verdict).toBe("several");
    expect(detection.findings.map(({ header }) => header)).toEqual(["X-Acme-Signature", "X-Proxy-Signature"]);
    expect(detection.decides[0]).toMatch(/X-Acme-Signature and X-Proxy-Signature each carry a valid signature/);
  });

  it("puts the stronger of two algorithms first", () => {
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

  it("tells of all headers that carry one timestamp, and of what would decide", () => {
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

  it("prefers the header that is named like the signature's, and says that another has the same", () => {
    const headers = { "X-Sent": SECONDS, "X-Acme-Time": SECONDS, "X-Acme-Signature": hex(SECONDS, ".", BODY) };
    const detection = detect({ headers });
    expect(detection).toMatchObject({
      verdict: "one",
      findings: [{ signed: 'X-Acme-Time (unix seconds) + "." + raw body' }],
    });
    expect(detection.findings[0]?.undecided.join()).toMatch(/The same text came in X-Sent as well/);
  });

  it("cannot tell what comes first where the body is empty", () => {
    const headers = { "X-Time": SECONDS, "X-Acme-Signature": hex(SECONDS) };
    expect(detect({ headers, body: "" }).verdict).toBe("several");
    expect(
      detect({ headers, body: "" }, { headers: { ...headers, "X-Acme-Signature": hex(SECONDS, BODY) } }),
    ).toMatchObject({
      verdict: "one",
      findings: [{ signed: "X-Time (unix seconds) + raw body" }],
    });
  });

  it("finds one scheme where both sets of Standard Webhooks' headers come", () => {
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

  it("leaves open whether it is base64 or base64url, until a character tells", () => {
    const digest = (body: string) => hmac("sha256", SECRET, body).toString("base64");
    const bodies = Array.from({ length: 200 }, (_, n) => `${BODY}${" ".repeat(n)}`);
    const plain = bodies.find((body) => !/[+/]/.test(digest(body))) ?? "";
    const telling = bodies.find((body) => /[+/]/.test(digest(body))) ?? "";
    const capture = (body: string, write = digest) => ({ headers: { "X-Acme-Signature": write(body) }, body });

    const open = detect(capture(plain));
    expect(open).toMatchObject({
      verdict: "one",
      findings: [{ scheme: 'hmacSignature({ header: "X-Acme-Signature", encoding: "base64" })' }],
    });
    expect(open.findings[0]?.undecided.join()).toMatch(/base64 or base64url/);

    const unpadded = detect(capture(plain, (body) => digest(body).replace("=", "")));
    expect(unpadded.findings[0]?.scheme).toBe('hmacSignature({ header: "X-Acme-Signature", encoding: "base64url" })');

    const decided = detect(capture(plain), capture(telling));
    expect(decided).toMatchObject({ verdict: "one", findings: [{ undecided: [] }] });
  });
});

describe("detect, on text around a signature that looks as if it changed", () => {
  const KEY_ID = "0123456789abcdef0123456789abcdef01234567";
  const capture = (keyId: string, body = BODY) => ({ headers: { "X-Acme-Signature": `<${keyId}>${hex(body)}` }, body });

  it("finds what it stands for, and says what is open", () => {
    const detection = detect(capture(KEY_ID));
    expect(detection).toMatchObject({
      verdict: "one",
      findings: [{ signature: `hex HMAC-SHA256, after "<${KEY_ID}>"` }],
    });
    expect(detection.findings[0]?.undecided.join()).toMatch(/looks as if it changed/);
  });

  it("finds nothing that holds for all where it did change", () => {
    const changed = detect(capture(KEY_ID), capture(KEY_ID.replaceAll("0", "9"), `${BODY} `));
    expect(changed).toMatchObject({ verdict: "none", findings: [] });
    expect(changed.reasons[0]).toMatch(/holds for 1 of 2 captures/);
  });
});

describe("detect, on secrets", () => {
  const signed = captured({ headers: { "X-Acme-Signature": hex(BODY) } });

  it.each([
    [`"${SECRET}"`, /quotes/],
    [`'${SECRET}'`, /quotes/],
    [`${SECRET}\n`, /white space/],
    [` "${SECRET}" `, /white space.*quotes/],
  ])("names the mistake in %j", (secret, warning) => {
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

  it("says which of several secrets signed which capture", () => {
    const rotated = captured({
      headers: { "X-Acme-Signature": hmac("sha256", "the next secret, of 16 bytes", BODY).toString("hex") },
    });
    const detection = detectScheme([rotated, signed], [SECRET, "the next secret, of 16 bytes"]);
    expect(detection).toMatchObject({ verdict: "one", findings: [{ secretIndexes: [1, 0] }] });
  });

  it("shows neither a secret nor a signature", () => {
    for (const secret of [SECRET, `"${SECRET}"`, "wrong and of 16 bytes"]) {
      const told = JSON.stringify(detectScheme([signed], [secret]));
      expect(told).not.toContain(SECRET);
      expect(told).not.toContain(hex(BODY));
    }
  });
});

describe("detect, where the URL is signed", () => {
  const capture = (url: string) => captured({ headers: { "X-Acme-Signature": hex(url, BODY) }, url });

  it("takes the URL that it is told", () => {
    const url = "https://public.example.com/hooks?a=1";
    const signed = captured({ headers: { "X-Acme-Signature": hex(url, BODY) } });
    expect(detectScheme([signed], [SECRET]).verdict).toBe("none");
    const detection = detectScheme([signed], [SECRET], { urls: [url] });
    expect(detection).toMatchObject({ verdict: "one", findings: [{ signed: "URL + raw body" }] });
    expect(detection.findings[0]?.code).toContain(`const URL_SIGNED = ${JSON.stringify(url)};`);
  });

  it("says that no scheme can know a URL that changes", () => {
    const detection = detect(capture("/webhooks?try=1"), capture("/webhooks?try=2"));
    expect(detection).toMatchObject({ verdict: "one", findings: [{ code: undefined }] });
    expect(detection.findings[0]?.warnings.join()).toMatch(/no scheme can say this/);
  });
});
