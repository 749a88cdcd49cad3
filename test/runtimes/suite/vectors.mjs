// Signatures that OpenSSL made. A scheme that agrees with itself only would pass its own round trip.

const BODY = '{"event":"order.filled","data":{"id":"ord_1","average_price":"178.50"}}';
const SECRET = "a-shared-secret-of-some-length";
/** Longer than a block of any of the hashes, so that the key is hashed first. */
const LONG_SECRET = "k".repeat(150);
/** Larger than what is hashed in one shot. */
const LARGE_BODY = `{"note":"${"é".repeat(20_000)}"}`;

const hmac = (options, signature, secret = SECRET, body = BODY) => ({
  scheme: (core) => core.hmacSignature({ header: "X-Signature", ...options }),
  secrets: { sign: secret, verify: secret },
  body,
  headers: { "X-Signature": signature },
});

const STANDARD = {
  scheme: (core) => core.standardWebhooksSignature(),
  body: '{"test": 2432232314}',
  messageId: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  nowMs: 1_614_265_330_000,
};
const standardHeaders = (signature) => ({
  "webhook-id": STANDARD.messageId,
  "webhook-timestamp": "1614265330",
  "webhook-signature": signature,
});

/** Each scheme in each of its forms: what signs, what verifies, and what comes of it. */
export const VECTORS = {
  bluum: {
    scheme: (core) => core.bluumSignature(),
    secrets: { sign: SECRET, verify: SECRET },
    body: BODY,
    headers: { "X-Bluum-Signature": "225f0ed33497a00fdec0f300f1e65e5819281cf58f82e648ae8b2058c0c4aa50" },
  },
  // openssl dgst -<algorithm> -hmac <secret>
  "hmac, SHA-256": hmac({}, "225f0ed33497a00fdec0f300f1e65e5819281cf58f82e648ae8b2058c0c4aa50"),
  "hmac, SHA-1, prefixed": hmac(
    { algorithm: "sha1", prefix: "sha1=" },
    "sha1=9d0d50ce686a600262057825f6052c63aadc8149",
  ),
  "hmac, SHA-512": hmac(
    { algorithm: "sha512" },
    "89933a3ae2817dbb0aef0ee7692f6eb77c99a74e0fd452769fc349d8af84aac1339ffa5c61a42bdc08ba244ae08ac637547415373cc777a8c46839af90cc0d38",
  ),
  "hmac, base64": hmac({ encoding: "base64" }, "Il8O0zSXoA/ewPMA8eZeWBkoHPWPguZIrosgWMDEqlA="),
  "hmac, base64url": hmac({ encoding: "base64url" }, "Il8O0zSXoA_ewPMA8eZeWBkoHPWPguZIrosgWMDEqlA"),
  "hmac, SHA-256, a key longer than a block": hmac(
    {},
    "39b7790a199873bc8818640b269117cbd5d7cc7610f61abca45c48f08bddbdec",
    LONG_SECRET,
  ),
  "hmac, SHA-512, a key longer than a block": hmac(
    { algorithm: "sha512" },
    "940a27556fdd54b44d528755d4a5969251f2f62092d6903d94f1a363045c3a7fea2d241dff03affc2a2533313841dc52cc2246f9d9e75fbb1ac82b15712a85d0",
    LONG_SECRET,
  ),
  "hmac, SHA-1, a large body": hmac(
    { algorithm: "sha1" },
    "b26804467d494bc3dd1cf7952c129c9f99395e6d",
    SECRET,
    LARGE_BODY,
  ),
  "hmac, SHA-256, a large body": hmac(
    {},
    "3b4f6aacdfe873d4ed2f73bdcc95f7069861dbe46eb00c0cbada3d455b043ae5",
    SECRET,
    LARGE_BODY,
  ),
  "hmac, SHA-512, a large body": hmac(
    { algorithm: "sha512" },
    "abdb1e060f187e5e91e165deb9d858627dfbed7d9b9b0b0e78b4cf6d26593036691a77b9ec15b8d8038da1768dcbdc247763b4b4053c3593465bf3bb53fe52bb",
    SECRET,
    LARGE_BODY,
  ),
  // printf '1750000000.%s' <body> | openssl dgst -sha256 -hmac <secret>
  timestamped: {
    scheme: (core) => core.timestampedSignature({ header: "Stripe-Signature" }),
    secrets: { sign: `whsec_${SECRET}`, verify: `whsec_${SECRET}` },
    body: BODY,
    nowMs: 1_750_000_000_000,
    headers: { "Stripe-Signature": "t=1750000000,v1=065d1129db3207d066d3e32c5b2fba9c782da4a4b89319c4fa55c6a5e4aee2df" },
  },
  // printf '<id>.<timestamp>.<body>' | openssl dgst -sha256 -mac HMAC -macopt hexkey:<key> -binary | base64
  "standard webhooks, v1": {
    ...STANDARD,
    secrets: { sign: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLrSw", verify: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLrSw" },
    headers: standardHeaders("v1,zRd/sq4GlCCYnqDAvD100dk132bKfRqo7e9hOdCd62s="),
  },
  // openssl pkeyutl -sign -inkey <key> -rawin -in <the same> | base64
  "standard webhooks, v1a (ed25519)": {
    ...STANDARD,
    secrets: {
      sign: "whsk_xaqN9D+fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPc=",
      verify: "whpk_/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=",
    },
    headers: standardHeaders(
      "v1a,CbWWbcW7B69jFUBICrevjm7uB16AqaX4X9zprrpWvW4012zWjiDpguw4L1VnBIktLL4pyfhNhZgLFTYi5s10AA==",
    ),
  },
};
