import { inspect } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { receiverOf } from "../../src/adapter.ts";
import { BLUUM_RETRY_HORIZON_MS, createReceiver, type ReceiverOptions } from "../../src/index.ts";
import { hmacSignature } from "../../src/schemes/hmac.ts";
import { standardWebhooksSignature } from "../../src/schemes/standard-webhooks.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { openTelemetry } from "../../src/telemetry/opentelemetry.ts";
import { faultyStore } from "./faulty-store.ts";
import { listInbox } from "./list-inbox.ts";
import { bench, SECRET, signed } from "./receiving.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function creating(options: object): () => unknown {
  return () => createReceiver({ secret: SECRET, logger: false, ...options } as ReceiverOptions);
}

/** The error of a configuration: its message begins with the option. */
function refusing(option: string, problem: RegExp = /./) {
  return expect.objectContaining({
    name: "WebhookError",
    code: "configuration_invalid",
    message: expect.stringMatching(
      new RegExp(`^createReceiver: ${option.replaceAll(/[[\]]/g, "\\$&")}:? .*${problem.source}`),
    ),
  });
}

/** The printed form of an error. */
function shownBy(options: object): string {
  try {
    creating(options)();
  } catch (error) {
    return inspect(error);
  }
  throw new Error("it was not refused");
}

describe("the bounds of the numeric options", () => {
  it.each<[keyof ReceiverOptions, number, number, object?]>([
    ["secretTimeoutMs", 1, 30_000],
    ["retentionMs", DAY, 3650 * DAY],
    ["leaseMs", 1_000, 55_000],
    ["maxProcessingMs", 30_000, 2 * HOUR],
    ["maxProcessingMs", 5_000, 2 * HOUR, { leaseMs: 5_000 }],
    ["maxEventAgeMs", DAY, 7 * DAY],
    ["maxEventAgeMs", DAY, 30 * DAY, { retentionMs: 30 * DAY }],
    ["maxBodyBytes", 1, 256 * 1024 * 1024],
    ["bodyTimeoutMs", 1, 120_000],
  ])("%s is a whole number from %i to %i", (option, least, most, more = {}) => {
    for (const value of [least, most, undefined]) expect(creating({ ...more, [option]: value })).not.toThrow();
    const wrong = [
      least - 1,
      most + 1,
      least + 0.5,
      0,
      -least,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      String(least),
      null,
      {},
    ];
    for (const value of wrong) expect(creating({ ...more, [option]: value })).toThrow(refusing(option));
  });

  it("keeps the retention above the provider's retries", () => {
    expect(BLUUM_RETRY_HORIZON_MS).toBe(DAY);
    expect(creating({ retentionMs: BLUUM_RETRY_HORIZON_MS - 1 })).toThrow(refusing("retentionMs"));
  });

  it("keeps maxEventAgeMs within the retention", () => {
    expect(creating({ retentionMs: 2 * DAY, maxEventAgeMs: 2 * DAY })).not.toThrow();
    expect(creating({ retentionMs: 2 * DAY, maxEventAgeMs: 2 * DAY + 1 })).toThrow(refusing("maxEventAgeMs"));
    expect(creating({ retentionMs: DAY })).not.toThrow();
  });
});

describe("the other options", () => {
  it.each<[string, object]>([
    ["scheme", { scheme: null }],
    ["scheme", { scheme: "hmac" }],
    ["scheme", { scheme: hmacSignature }],
    ["scheme", { scheme: { ...hmacSignature({ header: "x" }), verify: undefined } }],
    ["store", { store: null, namespace: "a" }],
    ["store", { store: new Map(), namespace: "a" }],
    ["store", { store: { ...memoryStore(), renew: undefined }, namespace: "a" }],
    ["eventId", { eventId: "event_id" }],
    ["eventId", { eventId: null }],
    ["parseJson", { parseJson: JSON }],
    ["parseJson", { parseJson: null }],
    ["onStoreError", { onStoreError: "ignore" }],
    ["onStoreError", { onStoreError: null }],
    ["onUnhandled", { onUnhandled: true }],
    ["telemetry", { telemetry: openTelemetry }],
    ["telemetry", { telemetry: null }],
    ["observe", { observe: [] }],
    ["logger", { logger: true }],
    ["logger", { logger: null }],
    ["logger", { logger: { warn() {} } }],
    ["now", { now: 0 }],
    ["namespace", { namespace: "" }],
    ["namespace", { namespace: "a/b" }],
    ["namespace", { namespace: "a b" }],
    ["namespace", { namespace: "x".repeat(65) }],
    ["namespace", { namespace: null }],
    ["namespace", { namespace: 7 }],
    ["retention", { retention: DAY }],
    ["secrets", { secrets: [SECRET] }],
  ])("names %s when it refuses %o", (option, options) => {
    expect(creating(options)).toThrow(refusing(option));
  });

  it("must be an object", () => {
    for (const options of [undefined, null, "secret", 7]) {
      expect(() => createReceiver(options as unknown as ReceiverOptions)).toThrow(refusing("options"));
      expect(() => receiverOf(options as unknown as ReceiverOptions)).toThrow(refusing("options"));
    }
  });

  it("lists the known options when it refuses an unknown one", () => {
    expect(creating({ maxBody: 1 })).toThrow(/maxBodyBytes/);
  });

  it("accepts all options together", () => {
    const options: Required<ReceiverOptions> = {
      secret: () => SECRET,
      secretTimeoutMs: 1_000,
      scheme: hmacSignature({ header: "X-Other" }),
      store: faultyStore(),
      inbox: listInbox(),
      orderBy: () => undefined,
      namespace: "orders-api_2.v1",
      retentionMs: 2 * DAY,
      leaseMs: 2_000,
      maxProcessingMs: 4_000,
      maxEventAgeMs: DAY,
      maxBodyBytes: 1_000,
      bodyTimeoutMs: 1_000,
      eventType: () => undefined,
      eventId: () => undefined,
      parseJson: JSON.parse,
      onStoreError: "accept",
      onUnhandled: "reject",
      telemetry: openTelemetry(),
      observe: () => {},
      logger: console,
      now: () => 0,
    };
    expect(creating(options)).not.toThrow();
  });
});

describe("the namespace", () => {
  it("may be left out without the option store", () => {
    for (const options of [{}, { store: undefined }]) expect(creating(options)).not.toThrow();
  });

  it("is required with the option store", () => {
    for (const store of [memoryStore(), faultyStore()]) {
      expect(creating({ store })).toThrow(refusing("namespace", /required/));
      expect(creating({ store, namespace: undefined })).toThrow(refusing("namespace", /required/));
      expect(creating({ store, namespace: "orders-api" })).not.toThrow();
    }
  });
});

describe("a secret that cannot work", () => {
  it.each<[string, unknown, RegExp]>([
    ["secret", undefined, /missing/],
    ["secret", null, /missing/],
    ["secret", [], /missing/],
    ["secret", 1234567890123456, /missing/],
    ["secret", Promise.resolve(SECRET), /missing/],
    ["secret", "", /blank/],
    ["secret", "  \n ", /blank/],
    ["secret", `${SECRET}\n`, /white space/],
    ["secret", ` ${SECRET}`, /white space/],
    ["secret", "fifteen bytes..", /16 bytes/],
    ["secret", `whpk_${Buffer.alloc(32).toString("base64")}`, /key pair/],
    ["secret[0]", [undefined], /not a string/],
    ["secret[0]", new Array(1), /not a string/],
    ["secret[1]", [SECRET, ""], /blank/],
    ["secret[1]", [SECRET, "short"], /16 bytes/],
    ["secret[2]", [SECRET, SECRET, 7], /not a string/],
  ])("%s is refused as %j, with the reason", (option, secret, problem) => {
    expect(creating({ secret })).toThrow(refusing(option, problem));
  });

  it("is named once, in one sentence", () => {
    expect(creating({ secret: [SECRET, "short"] })).toThrow(
      "secret[1]: it has fewer than 16 bytes, so it could be guessed; copy the whole secret.",
    );
  });

  it("is measured after decoding", () => {
    const scheme = standardWebhooksSignature();
    const whsec = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString("base64")}`;
    expect(creating({ scheme, secret: whsec(16) })).not.toThrow();
    expect(creating({ scheme, secret: whsec(15) })).toThrow(refusing("secret", /16 bytes/));
    expect(creating({ scheme, secret: "whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!" })).toThrow(refusing("secret", /base64/));
  });

  it("is never shown", () => {
    const secrets = ["tooshort", " a-secret-with-a-space", "whpk_0123456789abcdef0123456789abcdef"];
    for (const secret of secrets) expect(shownBy({ secret })).not.toContain(secret.trim());
    const scheme = standardWebhooksSignature();
    for (const secret of [...secrets, "whsec_not*base64*at*all*****", SECRET]) {
      expect(shownBy({ secret, scheme })).not.toContain(secret.trim());
    }
  });

  it("is refused without the error that a custom scheme threw", () => {
    const scheme = {
      ...hmacSignature({ header: "x" }),
      name: "mine",
      prepare: (secret: string) => {
        throw new Error(`bad: ${secret}`);
      },
    };
    expect(creating({ scheme })).toThrow("secret was refused by the scheme mine");
    expect(shownBy({ scheme })).not.toContain(SECRET);
  });
});

describe("receiverOf", () => {
  it("returns a receiver unchanged, and makes one of options", async () => {
    const { receiver } = bench();
    expect(receiverOf(receiver)).toBe(receiver);
    const made = receiverOf({ secret: SECRET });
    expect(await made.receive(signed())).toMatchObject({ kind: "accepted" });
  });
});

describe("in production", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("the memory store is warned of once", async () => {
    vi.stubEnv("NODE_ENV", "production");
    for (const options of [{}, { store: memoryStore(), namespace: "a" }]) {
      const { receiver, lines } = bench(options);
      receiver.on("*", () => {});
      await receiver.handle(signed());
      expect(lines.map((line) => line.message)).toEqual([expect.stringContaining("this process only")]);
    }
  });

  it("a shared store is not warned of", () => {
    vi.stubEnv("NODE_ENV", "production");
    expect(bench({ store: faultyStore(), namespace: "a" }).lines).toEqual([]);
  });

  it("ids that are hashes are warned of once", async () => {
    vi.stubEnv("NODE_ENV", "production");
    const { receiver, lines } = bench({ store: faultyStore(), namespace: "a" });
    for (const id of ["ord_1", "ord_2"]) await receiver.receive(signed({ event: "order.filled", data: { id } }));
    expect(lines.map((line) => line.message)).toEqual([expect.stringContaining("hash of its body")]);
    for (const words of ["identical bytes", "eventId option"]) expect(lines[0]?.message).toContain(words);
  });

  it("is recognised by NODE_ENV alone", async () => {
    vi.stubEnv("NODE_ENV", "development");
    const { receiver, lines } = bench();
    await receiver.receive(signed({ event: "order.filled" }));
    expect(lines).toEqual([]);
  });

  it("is not assumed when the environment cannot be read", () => {
    const denied = new Proxy(
      {},
      {
        get: () => {
          throw new Error("no permission");
        },
      },
    );
    vi.stubGlobal("process", { ...process, env: denied });
    try {
      expect(bench().lines).toEqual([]);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe("the receiver's own store", () => {
  it("warns in the receiver's log when it drops events", async () => {
    vi.resetModules();
    vi.doMock("../../src/stores/memory.ts", async (original) => {
      const real = await original<typeof import("../../src/stores/memory.ts")>();
      return { ...real, memoryStore: (options: object) => real.memoryStore({ ...options, maxEntries: 1 }) };
    });
    const { createReceiver: create } = await import("../../src/index.ts");
    const warned: string[] = [];
    const receiver = create({ secret: SECRET, logger: { warn: (line) => warned.push(line), error() {} } });
    receiver.on("*", () => {});
    await receiver.handle(signed());
    await receiver.handle(signed());
    expect(warned).toEqual([expect.stringContaining("the memory store is full")]);
    vi.doUnmock("../../src/stores/memory.ts");
  });
});
