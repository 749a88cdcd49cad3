import type { IncomingMessage } from "node:http";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { Inbox } from "../../../src/inbox/inbox.ts";
import { PAGE_HEADER } from "../../../src/inbox/page/api.ts";
import { inspectInbox } from "../../../src/inbox/page.ts";
import { queueInbox } from "../../../src/inbox/queue.ts";
import { memoryStore } from "../../../src/stores/memory.ts";
import { follow, get, ownHeaders, post } from "./calls.ts";
import { failing, freshInbox, ids, inspected, park } from "./inspected.ts";
import { MOUNTS } from "./mounts.ts";

/** Every kind of request, with a query or an action that is right. */
const READS = [{}, { call: "overview" }, { call: "parked" }, { call: "event", key: "shop/order.filled/a" }] as const;
const ACTIONS = ["redrive", "discard"] as const;

const parkedCount = async (inbox: Inbox) => (await inbox.stats()).parked;
const keysOf = ({ value }: { readonly value: unknown }) =>
  (value as { events: { key: string }[] }).events.map(({ key }) => key);

describe("inspectInbox", () => {
  it("is not created without authorize, nor with another wrong argument", () => {
    const inbox = freshInbox();
    const authorize = () => true;
    for (const [argument, create] of [
      ["authorize", () => inspectInbox(inbox, {} as never)],
      ["authorize", () => inspectInbox(inbox, { authorize: true } as never)],
      ["options", () => inspectInbox(inbox, undefined as never)],
      ["mask", () => inspectInbox(inbox, { authorize, mask: "all" } as never)],
      ["onError", () => inspectInbox(inbox, { authorize, onError: 1 } as never)],
      ["colour", () => inspectInbox(inbox, { authorize, colour: "red" } as never)],
      ["inbox", () => inspectInbox({ stats() {} } as never, { authorize })],
    ] as const) {
      expect(create, argument).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
      expect(create, argument).toThrow(`inspectInbox: ${argument} `);
    }
  });
});

describe.each(Object.entries(MOUNTS))("the page on %s", (_, mount) => {
  it("is one file with strict headers, at its path with and without a slash", async () => {
    const { url } = await inspected({ mount });
    for (const address of mount === MOUNTS.Express ? [url, `${url}/`, `${url}/any`] : [url]) {
      const { status, headers, text } = await get(address);
      expect(status).toBe(200);
      expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(headers.get("content-security-policy")).toBe("frame-ancestors 'none'");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      const [, policy = ""] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(text) ?? [];
      expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+';/);
      expect(policy).not.toContain("unsafe");
      expect(text).not.toMatch(/<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!data:)/);
    }
  });

  it("asks authorize about every request, and answers 403 without content", async () => {
    const verdicts = {
      false: () => false,
      undefined: () => undefined,
      "a promise of null": async () => null,
      "an error": () => {
        throw new Error("no session of mallory");
      },
      "a rejection": () => Promise.reject(new Error("no session of mallory")),
    };
    const inbox = freshInbox();
    await park(inbox, failing(["a"]));
    for (const [name, authorize] of Object.entries(verdicts)) {
      const { url, errors } = await inspected({ mount, inbox, authorize });
      const answers = [
        ...(await Promise.all([...READS, { call: "counts" }].map((query) => get(url, query)))),
        ...(await Promise.all(ACTIONS.map((action) => post(url, action, { all: true })))),
        await get(url, {}, { method: "PUT" }),
      ];
      for (const { status, text, headers } of answers) {
        expect([status, text], name).toEqual([403, ""]);
        expect(headers.get("cache-control")).toBe("no-store");
      }
      expect(errors.length).toBe(/error|rejection/.test(name) ? answers.length : 0);
    }
    expect(await parkedCount(inbox)).toBe(1);
  });

  it("gives authorize the app's own request", async () => {
    const seen: (string | undefined)[] = [];
    const authorize = (request: Request | IncomingMessage) => {
      const { headers } = request;
      const cookie = headers instanceof Headers ? (headers.get("cookie") ?? undefined) : headers.cookie;
      seen.push(cookie);
      return cookie === "session=1";
    };
    const { url } = await inspected({ mount, authorize });
    expect((await get(url, { call: "overview" }, { headers: { cookie: "session=1" } })).status).toBe(200);
    expect((await get(url, { call: "overview" })).status).toBe(403);
    expect(seen).toEqual(["session=1", undefined]);
  });

  it("tells the counts, the parked events and everything about one of them", async () => {
    const { url, inbox } = await inspected({ mount });
    const [event] = failing(["ord_1"], "order.filled", { orderingKey: "acc_1", error: "the ledger is away" });
    await park(inbox, [event as NonNullable<typeof event>]);
    const { value: overview } = await get(url, { call: "overview" });
    expect(overview).toMatchObject({ engine: "sqlite", counts: { waiting: 0, active: 0, delayed: 0, parked: 1 } });
    const { value: list } = await get(url, { call: "parked" });
    const row = { key: "shop/order.filled/ord_1", id: "ord_1", type: "order.filled", attempts: 1 };
    expect(list).toEqual({
      events: [{ ...row, parkedAt: expect.any(Number), error: "the ledger is away" }],
      cursor: null,
    });
    const { value: detail } = await get(url, { call: "event", key: row.key });
    expect(detail).toMatchObject({
      ...row,
      error: { message: "the ledger is away", stack: expect.stringContaining("ParkEvent") },
      message: {
        receivedAt: Date.UTC(2026, 2, 12, 14, 2),
        identifiedBy: "payload",
        orderingKey: "acc_1",
        headers: [
          ["content-type", "application/json"],
          ["x-bluum-signature", "0af1"],
        ],
        payload: { text: event?.body, altered: false },
        masked: false,
      },
    });
  });

  it("redrives and discards by keys, by type, and all", async () => {
    const { url, inbox } = await inspected({ mount });
    await park(inbox, [
      ...failing(ids(4)),
      ...failing(ids(3), "kyc.approved"),
      ...failing(ids(2), "document.rejected"),
    ]);
    const taken = async (action: "redrive" | "discard", body: object) => (await post(url, action, body)).value;
    expect(await taken("redrive", { keys: ["shop/order.filled/ord_0000", "unknown"] })).toEqual({ count: 1 });
    expect(await taken("discard", { keys: ["shop/order.filled/ord_0001"] })).toEqual({ count: 1 });
    expect(await taken("redrive", { type: "order.filled" })).toEqual({ count: 2 });
    expect(await taken("discard", { type: "kyc.approved" })).toEqual({ count: 3 });
    expect(await taken("redrive", { all: true })).toEqual({ count: 2 });
    expect(await inbox.stats()).toMatchObject({ waiting: 5, parked: 0 });
    expect(await taken("discard", { all: true })).toEqual({ count: 0 });
  });

  it("streams the counts at once and whenever they change", async () => {
    const { url, inbox, endStreams } = await inspected({ mount });
    const stream = await follow(url);
    expect(stream.status).toBe(200);
    expect(stream.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(stream.headers.get("cache-control")).toBe("no-store, no-transform");
    await expect.poll(stream.received).toMatch(/event: counts\ndata: {.*"parked":0/);
    await park(inbox, failing(["a", "b"]));
    await expect.poll(stream.received, { timeout: 10_000 }).toMatch(/event: counts\ndata: {.*"parked":2/);
    endStreams();
    await stream.ended;
  });

  it("refuses a body that is not JSON, is too large, or says nothing or too much", async () => {
    const { url, inbox } = await inspected({ mount });
    await park(inbox, failing(["a"]));
    const bad: [string, unknown, number][] = [
      ["nothing", "", 400],
      ["no JSON", "{", 400],
      ["a list", "[]", 400],
      ["no selection", {}, 400],
      ["two selections", { all: true, type: "order.filled" }, 400],
      ["all of nothing", { all: false }, 400],
      ["no keys", { keys: [] }, 400],
      ["keys that are no texts", { keys: [1] }, 400],
      ["too many keys", { keys: Array(1_001).fill("k") }, 400],
      ["a long key", { keys: ["k".repeat(1_025)] }, 400],
      ["an empty type", { type: "" }, 400],
      ["something else", { __proto__: null, where: "1=1" }, 400],
      ["2 MB", { keys: ["k".repeat(2_000_000)] }, 413],
    ];
    for (const [name, body, status] of bad) {
      const answer = await post(url, "discard", body);
      expect(answer.status, name).toBe(status);
      expect(answer.text.length, name).toBeLessThan(3_000);
    }
    expect((await post(url, "discard", "all=true", { ...ownHeaders(url), "content-type": "text/plain" })).status).toBe(
      400,
    );
    expect(await parkedCount(inbox)).toBe(1);
  });
});

describe("the page's server", () => {
  it("lists the parked events in bounded pages, by type and by key", async () => {
    const { url, inbox } = await inspected();
    await park(inbox, [
      ...failing(ids(120), "order.filled", { error: "x".repeat(900), body: JSON.stringify("y".repeat(20_000)) }),
      ...failing(ids(2), "kyc.approved"),
      ...failing(["ord_0002"], "kyc.approved", { id: "i".repeat(100_000), orderingKey: "o".repeat(100_000) }),
    ]);
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page = await get(url, { call: "parked", cursor });
      expect(page.text.length).toBeLessThan(30_000);
      seen.push(...keysOf(page));
      cursor = (page.value as { cursor: string | null }).cursor;
    }
    expect(seen.length).toBe(123);
    expect(new Set(seen).size).toBe(123);
    const one = { call: "parked", key: "shop/kyc.approved/ord_0002" };
    expect(keysOf(await get(url, { call: "parked", type: "kyc.approved" })).length).toBe(3);
    expect(keysOf(await get(url, one))).toEqual([one.key]);
    expect((await get(url, { ...one, call: "event" })).text.length).toBeLessThan(10_000);
    expect(keysOf(await get(url, { ...one, type: "order.filled" }))).toEqual([]);
    expect(keysOf(await get(url, { call: "parked", type: "order.*" }))).toEqual([]);
  });

  it("answers a wrong query with 400, and an unknown call or event with 404", async () => {
    const { url } = await inspected();
    for (const query of [
      { call: "parked", cursor: "' OR 1=1" },
      { call: "parked", cursor: "9".repeat(2_000) },
      { call: "parked", type: "t".repeat(1_025) },
      { call: "event" },
      { call: "event", key: "k".repeat(1_025) },
    ]) {
      const { status, value } = await get(url, query);
      expect([status, value]).toEqual([400, { error: { code: "invalid", message: expect.any(String) } }]);
    }
    expect((await get(url, { call: "event", key: "unknown" })).status).toBe(404);
    expect((await get(url, { call: "everything" })).status).toBe(404);
    expect((await post(url, "everything", {})).status).toBe(404);
  });

  it("acts by POST alone", async () => {
    const { url, inbox } = await inspected();
    await park(inbox, failing(["a"]));
    for (const call of ACTIONS) expect((await get(url, { call, all: "true" })).status).toBe(404);
    for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const { status, headers } = await get(url, { call: "discard" }, { method });
      expect([status, headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
    }
    expect(await parkedCount(inbox)).toBe(1);
  });

  describe("takes an action from its own page alone", () => {
    const foreign: [string, (url: string) => Record<string, string>][] = [
      ["no header of the page", (url) => ({ origin: new URL(url).origin, "content-type": "application/json" })],
      ["no origin", (url) => ({ ...ownHeaders(url), origin: "" })],
      ["the origin null", (url) => ({ ...ownHeaders(url), origin: "null" })],
      ["another origin", (url) => ({ ...ownHeaders(url), origin: "https://evil.example" })],
      ["another port", (url) => ({ ...ownHeaders(url), origin: "http://127.0.0.1:1" })],
      ["a longer name", (url) => ({ ...ownHeaders(url), origin: `${new URL(url).origin}.evil.example` })],
      ["another site", (url) => ({ ...ownHeaders(url), "sec-fetch-site": "cross-site" })],
      ["another subdomain", (url) => ({ ...ownHeaders(url), "sec-fetch-site": "same-site" })],
      ["no page", (url) => ({ ...ownHeaders(url), "sec-fetch-site": "none" })],
    ];

    it.each(foreign)("not with %s", async (_, headersFor) => {
      const { url, inbox } = await inspected();
      await park(inbox, failing(["a"]));
      const headers = Object.fromEntries(Object.entries(headersFor(url)).filter(([, value]) => value !== ""));
      const { status, value } = await post(url, "discard", { all: true }, headers);
      expect([status, value]).toMatchObject([403, { error: { code: "foreign" } }]);
      expect(await parkedCount(inbox)).toBe(1);
    });

    it("also behind a proxy that ends TLS, or that changes the host", async () => {
      const { url } = await inspected();
      const tls = { ...ownHeaders(url), origin: new URL(url).origin.replace("http:", "https:") };
      expect((await post(url, "redrive", { all: true }, tls)).status).toBe(200);
      const renamed = { ...ownHeaders(url), origin: "https://admin.example", "sec-fetch-site": "same-origin" };
      expect((await post(url, "redrive", { all: true }, renamed)).status).toBe(200);
    });

    it("and gives data to no other page", async () => {
      const { url } = await inspected();
      for (const call of ["overview", "parked", "event", "counts"]) {
        for (const headers of [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }]) {
          expect((await get(url, { call, key: "k" }, { headers })).status).toBe(403);
        }
      }
      const { headers } = await get(url, { call: "overview" });
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(PAGE_HEADER).toMatch(/^x-/);
    });
  });

  describe("shows of a payload what mask returns", () => {
    const [event] = failing(["ord_1"]);
    const shown = async (mask: (payload: never, event: { type: string }) => unknown, fields = {}) => {
      const { url, inbox, errors } = await inspected({ mask });
      await park(inbox, [{ ...(event as NonNullable<typeof event>), ...fields }]);
      const answer = await get(url, { call: "event", key: event?.key ?? "" });
      return { ...answer, errors, detail: answer.value as { message: { payload: { text: string }; masked: boolean } } };
    };

    it("and nothing else, with the event at hand", async () => {
      const { detail, text } = await shown(({ data }: { data: object }, { type }) => ({
        event: type,
        data: { ...data, account_number: "…" },
      }));
      expect(detail.message.masked).toBe(true);
      expect(JSON.parse(detail.message.payload.text)).toMatchObject({
        event: "order.filled",
        data: { account_number: "…" },
      });
      expect(text).not.toContain("DE02-7001");
    });

    it("or what it promises", async () => {
      const { detail } = await shown(async () => "all of it is hidden");
      expect(detail.message.payload.text).toBe('"all of it is hidden"');
    });

    it("also where it begins with a byte order mark", async () => {
      const { detail } = await shown((payload) => payload, { body: '\uFEFF{"amount":5}' });
      expect(detail.message.payload.text).toBe('{"amount":5}');
    });

    it("and nothing of a body that is not JSON, nor does the error", async () => {
      const { detail, text, errors } = await shown((payload) => payload, { body: "DE02-7001" });
      expect(detail.message.payload).toBeNull();
      expect(text + inspect(errors)).not.toContain("DE02-7001");
      expect(errors).toMatchObject([{ code: "inbox_message_invalid" }]);
    });

    it.each<[string, () => unknown]>([
      ["throws", () => JSON.parse("{")],
      ["rejects", () => Promise.reject(new Error("no"))],
      ["returns nothing", () => undefined],
      ["returns what is no JSON", () => ({ amount: 1n })],
    ])("and nothing if it %s", async (name, mask) => {
      const { detail, text, errors } = await shown(mask);
      expect(detail.message.payload).toBeNull();
      expect(text).not.toContain("DE02-7001");
      expect(errors.length).toBe(name === "returns nothing" ? 0 : 1);
    });

    it("never in the list", async () => {
      const { url, inbox } = await inspected();
      await park(inbox, [event as NonNullable<typeof event>]);
      expect((await get(url, { call: "parked" })).text).not.toContain("DE02-7001");
    });
  });

  it("cuts a payload that is very long", async () => {
    const { url, inbox } = await inspected();
    await park(inbox, failing(["long"], "order.filled", { body: JSON.stringify("z".repeat(900_000)) }));
    const { text, value } = await get(url, { call: "event", key: "shop/order.filled/long" });
    expect(text.length).toBeLessThan(100_000);
    expect(value).toMatchObject({ message: { payload: { bytes: 900_002, altered: true } } });
  });

  it("tells nothing of what the inbox throws, except to onError", async () => {
    const broken: Inbox = { ...freshInbox(), stats: fail, parked: fail, redrive: fail, discard: fail };
    const { url, errors } = await inspected({ inbox: broken });
    const answers = [
      await get(url, { call: "overview" }),
      await get(url, { call: "parked" }),
      await get(url, { call: "event", key: "k" }),
      await post(url, "redrive", { all: true }),
    ];
    for (const { status, value } of answers) {
      expect([status, value]).toEqual([
        503,
        { error: { code: "inbox_unavailable", message: "The inbox does not answer." } },
      ]);
    }
    expect(errors.length).toBe(answers.length);
    const stream = await follow(url);
    await expect.poll(stream.received).toContain("event: trouble");
    expect(stream.received()).not.toContain("hunter2");
    stream.leave();
  });

  it("answers the same whatever onError does", async () => {
    const inbox = { ...freshInbox(), parked: fail };
    const { url } = await inspected({ inbox, onError: fail });
    expect((await get(url, { call: "parked" })).status).toBe(503);
    const { url: guarded } = await inspected({ inbox, onError: fail, authorize: fail });
    expect(await get(guarded)).toMatchObject({ status: 403, text: "" });
  });

  it("says what a queue of one's own does not have", async () => {
    const inbox = queueInbox({ store: memoryStore(), add() {} });
    const { url } = await inspected({ inbox });
    const { status, text } = await get(url, { call: "parked" });
    expect([status, text]).toEqual([400, expect.stringContaining("queueInbox: the option parked is missing")]);
  });

  it("reads the counts for open pages only, and limits those", async () => {
    let reads = 0;
    const inbox = freshInbox();
    const counting: Inbox = {
      ...inbox,
      stats() {
        reads += 1;
        return inbox.stats();
      },
    };
    const { url } = await inspected({ inbox: counting });
    expect(reads).toBe(0);
    const streams = await Promise.all(Array.from({ length: 65 }, () => follow(url)));
    expect(streams.map(({ status }) => status).toSorted()).toEqual([...Array(64).fill(200), 503]);
    const open = streams.filter(({ status }) => status === 200);
    for (const { received } of open) await expect.poll(received).toContain("event: counts");
    expect(reads).toBeLessThan(5);
    for (const { leave } of open) leave();
    await expect.poll(async () => (await follow(url)).status, { timeout: 5_000 }).toBe(200);
  });
});

function fail(): never {
  throw new Error("postgres://admin:hunter2@db refused the connection");
}
