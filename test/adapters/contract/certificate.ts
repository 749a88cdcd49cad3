import { generateKeyPairSync, sign } from "node:crypto";

/** A key and its self-signed certificate, in PEM. */
export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
}

const DAY_MS = 24 * 60 * 60_000;
const SEQUENCE = 0x30;
const OID = 0x06;
const SHA256_WITH_ECDSA = der(SEQUENCE, der(OID, Buffer.from("2a8648ce3d040302", "hex")));
const COMMON_NAME = der(OID, Buffer.from("550403", "hex"));
const SUBJECT_ALT_NAME = der(OID, Buffer.from("551d11", "hex"));

/** Makes a certificate for 127.0.0.1 (RFC 5280), valid for a day. Node has no function for it. */
export function selfSigned(): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = der(SEQUENCE, der(0x31, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from("bluum-webhooks test")))));
  const address = der(0x04, der(SEQUENCE, der(0x87, Buffer.of(127, 0, 0, 1))));
  const content = der(
    SEQUENCE,
    der(0xa0, integer(2)),
    integer(1),
    SHA256_WITH_ECDSA,
    name,
    der(SEQUENCE, utcTime(Date.now() - DAY_MS), utcTime(Date.now() + DAY_MS)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(SEQUENCE, der(SEQUENCE, SUBJECT_ALT_NAME, address))),
  );
  const signature = der(0x03, Buffer.of(0), sign("sha256", content, privateKey));
  const cert = der(SEQUENCE, content, SHA256_WITH_ECDSA, signature).toString("base64");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${cert.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
  };
}

/** One element of DER: a tag, a length, the content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.of(value));
}

function utcTime(epochMs: number): Buffer {
  const [digits = ""] = new Date(epochMs).toISOString().replace(/[-:T]/g, "").split(".");
  return der(0x17, Buffer.from(`${digits.slice(2)}Z`));
}
