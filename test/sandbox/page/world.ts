import { createHash, createHmac } from "node:crypto";
import type { BodyView } from "../../../src/page/body.ts";
import type {
  AttemptDetail,
  AttemptSummary,
  DeliveryDetail,
  DeliveryOrigin,
  DeliveryState,
  DeliverySummary,
  EndpointView,
  Snapshot,
} from "../../../src/sandbox/page-api.ts";

/** When the sample data begins. */
export const DAWN: number = Date.UTC(2026, 2, 12, 14, 2, 11);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** The delay before each attempt. */
const PAUSES = [0, MINUTE, 5 * MINUTE, 30 * MINUTE, 120 * MINUTE, 480 * MINUTE];

const EVENT_TYPES: readonly string[] = [
  "order.accepted",
  "order.partially_filled",
  "order.filled",
  "order.rejected",
  "transfer.deposit.initiated",
  "transfer.deposit.completed",
  "transfer.deposit.failed",
  "document.approved",
  "kyc.verification.approved",
];

/** What all sample states have in common. */
export const SURROUNDINGS: Pick<Snapshot, "scheme" | "scenarios" | "eventTypes" | "forgeries" | "firstSteps"> = {
  scheme: "X-Bluum-Signature: <hex HMAC-SHA256 of the raw body>, optionally with sha256= before it",
  scenarios: [
    { name: "order-filled", title: "An order is accepted, filled in parts, then filled" },
    { name: "order-rejected", title: "An order is rejected" },
    { name: "deposit", title: "A deposit completes" },
    { name: "deposit-failed", title: "A deposit fails" },
    { name: "document", title: "A document is rejected, then approved" },
    { name: "kyc", title: "A KYC decision" },
  ],
  eventTypes: EVENT_TYPES,
  forgeries: [
    { kind: "wrong_secret", title: "Signed with another secret" },
    { kind: "altered_body", title: "Genuine signature, another amount in the body" },
    { kind: "no_signature", title: "No signature at all" },
  ],
  firstSteps: [
    {
      title: "Point the tools at the sandbox",
      code: "export BLUUM_BASE_URL=http://127.0.0.1:4400/v1\nexport BLUUM_API_KEY=sandbox_key\nexport BLUUM_API_SECRET=sandbox_secret",
    },
    {
      title: "Register your endpoint",
      code: "npx bluum-webhooks endpoints ensure --url http://localhost:3000/webhooks/bluum --event 'order.*'",
    },
  ],
};

export function endpoint(overrides: Partial<EndpointView> = {}): EndpointView {
  return {
    id: "wh_1",
    name: "Orders service",
    url: "http://localhost:3000/webhooks/bluum",
    status: "ACTIVE",
    eventTypeNames: ["order.*", "transfer.deposit.*"],
    createdAt: DAWN,
    delivered: 128,
    failed: 9,
    parked: 2,
    recent: [200, 200, 204, 200, 500, 200, 200, 200, null, 200, 200, 200, 200, 200],
    medianLatencyMs: 14.2,
    ...overrides,
  };
}

/** A delivery in the given state with attempts that lead to it. */
export function delivery(id: string, overrides: Partial<DeliverySummary> = {}): DeliverySummary {
  const state = overrides.state ?? "delivered";
  const createdAt = overrides.createdAt ?? DAWN;
  const attempts = overrides.attempts ?? attemptsFor(state, createdAt);
  const last = attempts.at(-1)?.at ?? createdAt;
  const type = overrides.type ?? "order.filled";
  return {
    id,
    type,
    eventId: `evt_${id}`,
    endpointId: "wh_1",
    origin: "event",
    state,
    replayed: false,
    createdAt,
    updatedAt: last,
    nextAttemptAt: state === "retrying" ? last + (PAUSES[attempts.length] ?? MINUTE) : null,
    ...resourceFor(type, id),
    ...overrides,
    attempts,
  };
}

/** What the sandbox reads from the payload of such an event; nothing for a type without a sample. */
function resourceFor(type: string, id: string): Pick<DeliverySummary, "resourceId" | "amount"> {
  const [domain = ""] = type.split(".");
  const [prefix, amount] = RESOURCES[domain] ?? [];
  if (prefix === undefined) return {};
  const resourceId = prefix + createHash("sha256").update(id).digest("hex").slice(0, 16);
  return amount === undefined ? { resourceId } : { resourceId, amount };
}

const RESOURCES: Readonly<Record<string, readonly [prefix: string, amount?: string]>> = {
  order: ["ord_", "10 AAPL × 178.50 USD"],
  transfer: ["dep_", "250.00 USD"],
  document: ["doc_"],
  kyc: ["wf_"],
};

export function attempt(at: number, overrides: Partial<AttemptSummary> = {}): AttemptSummary {
  return { at, latencyMs: 12.4, status: 200, error: null, fault: null, ...overrides };
}

/** Failures at the documented times, the last of them as given. */
export function failures(createdAt: number, count: number, last: Partial<AttemptSummary> = {}): AttemptSummary[] {
  let at = createdAt;
  return Array.from({ length: count }, (_, index) => {
    at += PAUSES[index] ?? 0;
    const failure = { status: 500, latencyMs: 31 + index * 9 };
    return attempt(at, index === count - 1 ? { ...failure, ...last } : failure);
  });
}

function attemptsFor(state: DeliveryState, createdAt: number): AttemptSummary[] {
  if (state === "waiting") return [];
  if (state === "sending") return [attempt(createdAt, { status: null, latencyMs: null })];
  if (state === "delivered") return [attempt(createdAt)];
  return failures(createdAt, state === "retrying" ? 2 : 6);
}

const MIX: readonly DeliveryState[] = ["delivered", "delivered", "delivered", "delivered", "retrying", "parked"];
const ORIGINS: readonly DeliveryOrigin[] = ["event", "event", "event", "event", "duplicate", "replay"];

/** A number of deliveries of every kind; the same ones for the same seed. */
export function deliveries(count: number, seed = 1): DeliverySummary[] {
  const random = seeded(seed);
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  let createdAt = DAWN;
  return Array.from({ length: count }, (_, index) => {
    createdAt += Math.floor(random() * 4 * SECOND);
    const state = pick(MIX);
    return delivery(`dlv_${String(index).padStart(5, "0")}`, {
      type: pick(EVENT_TYPES),
      state,
      // A copy is sent once: it is neither retried nor parked like an event.
      origin: state === "delivered" ? pick(ORIGINS) : "event",
      endpointId: pick(["wh_1", "wh_1", "wh_2"]),
      createdAt,
    });
  });
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const SECRET = "a sandbox secret of some length";

/** The details of a delivery. */
export function detailOf(summary: DeliverySummary, body: string = bodyOf(summary)): DeliveryDetail {
  return { ...summary, body: view(body), attempts: summary.attempts.map((each) => exchange(each, summary, body)) };
}

function bodyOf({ type, createdAt, resourceId }: DeliverySummary): string {
  const data = { id: resourceId, symbol: "AAPL", side: "buy", status: "filled" };
  const amounts = { quantity: "10", filled_quantity: "10", average_price: "178.50", commission: "0.00" };
  return JSON.stringify({ event: type, timestamp: new Date(createdAt), data: { ...data, ...amounts } });
}

function exchange(summary: AttemptSummary, { origin }: DeliverySummary, body: string): AttemptDetail {
  const mac = createHmac("sha256", SECRET).update(body).digest("hex");
  const failed = summary.status !== null && summary.status >= 300;
  return {
    ...summary,
    request: {
      headers: [
        ["content-type", "application/json"],
        ["content-length", String(Buffer.byteLength(body))],
        ["user-agent", "Bluum-Webhooks/1.0 (sandbox)"],
        ["x-bluum-signature", mac],
      ],
      body: view(body),
    },
    answer:
      summary.status === null
        ? null
        : {
            headers: [
              ["content-type", "application/json"],
              ["date", new Date(summary.at).toUTCString()],
            ],
            body: view(failed ? '{"error":{"code":"handler_failed"}}' : acknowledgement(summary)),
          },
    signature: explanation(mac, body, origin !== "forged"),
  };
}

function acknowledgement({ unhandled }: AttemptSummary): string {
  return JSON.stringify({ received: true, ...(unhandled ? { unhandled } : {}) });
}

function explanation(mac: string, body: string, genuine: boolean): AttemptDetail["signature"] {
  const digest = createHash("sha256").update(body).digest("hex");
  return {
    scheme: "bluum",
    genuine,
    steps: [
      {
        title: "The key",
        text: "The secret's UTF-8 bytes, as they stand: 31 of them.",
        code: `const key = Buffer.from(${JSON.stringify(SECRET)}, "utf8");`,
      },
      {
        title: "What is signed",
        text: `The raw body and nothing else: ${body.length} bytes with the SHA-256 ${digest}.`,
        code: null,
      },
      { title: "The signature", text: "HMAC-SHA256 of those bytes under that key, in hex.", code: mac },
      {
        title: "Where it stands",
        text: "In one header, optionally with sha256= before it.",
        code: `X-Bluum-Signature: ${mac}`,
      },
    ],
    program: `import { createHmac } from "node:crypto";\n\nconst body = process.argv[2];\nconsole.log(createHmac("sha256", ${JSON.stringify(SECRET)}).update(body).digest("hex"));`,
  };
}

export function view(text: string): BodyView {
  return { text, bytes: Buffer.byteLength(text), altered: false };
}
