import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type BluumClient, type BluumClientOptions, createBluumClient } from "../../src/client/index.ts";
import { API_KEY, API_SECRET, clientOf, startBluum } from "./bluum-server.ts";

const options = { apiKey: "k", apiSecret: "s", baseUrl: "sandbox", env: {} };
const refusal = (naming: string) =>
  expect.objectContaining({
    code: "configuration_invalid",
    message: expect.stringContaining(naming),
    mayHaveHappened: false,
  });

/** The URL to which a client sends its first request. */
async function targetOf(given: BluumClientOptions): Promise<string> {
  const sent: Request[] = [];
  const fetch = async (request: Request) => {
    sent.push(request);
    return Response.json({ data: [] });
  };
  await createBluumClient({ ...given, fetch }).webhooks.list();
  return sent[0]?.url ?? "";
}

afterEach(() => void vi.unstubAllEnvs());

describe("createBluumClient", () => {
  it.each([
    ["sandbox", "https://sandbox.api.bluumfinance.com/v1/webhooks"],
    ["production", "https://api.bluumfinance.com/v1/webhooks"],
    ["https://service.bluumfinance.com/v1", "https://service.bluumfinance.com/v1/webhooks"],
    ["https://service.bluumfinance.com/v1/", "https://service.bluumfinance.com/v1/webhooks"],
    [new URL("http://localhost:4000/v1"), "http://localhost:4000/v1/webhooks"],
    ["http://[::1]:4000/v1", "http://[::1]:4000/v1/webhooks"],
    ["http://127.9.9.9/v1", "http://127.9.9.9/v1/webhooks"],
  ])("at %s sends to %s", async (baseUrl, target) => {
    expect(await targetOf({ ...options, baseUrl })).toBe(`${target}?limit=200&offset=0`);
  });

  it("reads the environment, and prefers options", async () => {
    const server = await startBluum();
    vi.stubEnv("BLUUM_API_KEY", API_KEY);
    vi.stubEnv("BLUUM_API_SECRET", API_SECRET);
    vi.stubEnv("BLUUM_BASE_URL", server.url);
    expect(await createBluumClient().webhooks.list()).toEqual([]);
    await expect(createBluumClient({ apiSecret: "another" }).webhooks.list()).rejects.toMatchObject({
      code: "bad_credentials",
    });
  });

  it.each([
    ["apiKey", { apiKey: undefined }],
    ["apiKey", { apiKey: "" }],
    ["apiKey", { apiKey: "a:b" }],
    ["apiKey", { apiKey: "a\n" }],
    ["apiSecret", { apiSecret: undefined }],
    ["apiSecret", { apiSecret: " s" }],
    ["apiSecret", { apiSecret: "\ud800" }],
    ["apiSecret", { apiSecret: 7 as never }],
    ["baseUrl", { baseUrl: undefined }],
    ["baseUrl", { baseUrl: "staging" }],
    ["baseUrl", { baseUrl: "http://api.bluumfinance.com/v1" }],
    ["baseUrl", { baseUrl: "http://127.0.0.1.example.com/v1" }],
    ["baseUrl", { baseUrl: "http://localhost.example.com/v1" }],
    ["baseUrl", { baseUrl: "ftp://localhost/v1" }],
    ["baseUrl", { baseUrl: "https://user@example.com/v1" }],
    ["baseUrl", { baseUrl: "https://example.com/v1?a=b" }],
    ["baseUrl", { baseUrl: "https://example.com/v1#a" }],
    ["timeoutMs", { timeoutMs: 0 }],
    ["timeoutMs", { timeoutMs: 120_001 }],
    ["retries", { retries: 11 }],
    ["retries", { retries: 0.5 }],
    ["maxRetryAfterMs", { maxRetryAfterMs: -1 }],
    ["timeout", { timeout: 1_000 } as never],
    ["fetch", { fetch: "fetch" as never }],
    ["sleep", { sleep: 5 as never }],
  ])("refuses a %s that cannot work: %o", (name, wrong) => {
    expect(() => createBluumClient({ ...options, ...(wrong as object) })).toThrow(refusal(name));
  });

  it("accepts http for this machine only", () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ["http"] }), (baseUrl) => {
        const { hostname } = new URL(baseUrl);
        fc.pre(hostname !== "localhost" && !hostname.startsWith("127."));
        expect(() => createBluumClient({ ...options, baseUrl })).toThrow(refusal("baseUrl"));
      }),
    );
  });
});

describe("an argument that cannot work", () => {
  const whole = { name: "n", url: "https://a.example", eventTypeNames: ["order.*"] };
  const cases: [string, string, (client: BluumClient) => Promise<unknown>][] = [
    [
      "eventTypeNames",
      "events in create",
      ({ webhooks }) => webhooks.create({ ...whole, events: ["order.*"] } as never),
    ],
    ["eventTypeNames", "events in update", ({ webhooks }) => webhooks.update("wh_1", { events: ["order.*"] } as never)],
    [
      "eventTypeNames",
      "events in ensure",
      ({ webhooks }) => webhooks.ensure({ url: whole.url, events: ["a.b"] } as never),
    ],
    ["eventTypeNames", "no names", ({ webhooks }) => webhooks.create({ ...whole, eventTypeNames: [] })],
    [
      "eventTypeNames",
      "a name with white space",
      ({ webhooks }) => webhooks.create({ ...whole, eventTypeNames: ["a b"] }),
    ],
    [
      "eventTypeNames",
      "a string for a list",
      ({ webhooks }) => webhooks.create({ ...whole, eventTypeNames: "a.b" as never }),
    ],
    ["eventTypeNames", "neither names nor a receiver", ({ webhooks }) => webhooks.ensure({ url: whole.url } as never)],
    [
      "receiver",
      "names and a receiver",
      ({ webhooks }) =>
        webhooks.ensure({ url: whole.url, eventTypeNames: ["a.b"], receiver: { patterns: () => [] } } as never),
    ],
    [
      "receiver",
      "a receiver without patterns()",
      ({ webhooks }) => webhooks.ensure({ url: whole.url, receiver: {} as never }),
    ],
    ["name", "no name", ({ webhooks }) => webhooks.create({ ...whole, name: undefined } as never)],
    ["name", "a blank name", ({ webhooks }) => webhooks.create({ ...whole, name: " " })],
    ["url", "no URL", ({ webhooks }) => webhooks.create({ name: "n", eventTypeNames: ["a.b"] } as never)],
    ["url", "http to another machine", ({ webhooks }) => webhooks.create({ ...whole, url: "http://a.example" })],
    ["url", "a URL with a password", ({ webhooks }) => webhooks.ensure({ ...whole, url: "https://u:p@a.example" })],
    ["status", "an unknown status", ({ webhooks }) => webhooks.update("wh_1", { status: "active" as never })],
    ["something", "nothing to change", ({ webhooks }) => webhooks.update("wh_1", {})],
    ["options", "options that are null", ({ webhooks }) => webhooks.list(null as never)],
    ["options", "a string for options", ({ eventTypes }) => eventTypes("now" as never)],
    ["signal", "a signal that is null", ({ webhooks }) => webhooks.delete("wh_1", { signal: null as never })],
    [
      "signal",
      "a controller for its signal",
      ({ webhooks }) => webhooks.create(whole, { signal: new AbortController() as never }),
    ],
    ["signal", "a number for a signal", ({ webhooks }) => webhooks.ensure(whole, { signal: 5 as never })],
    [
      "signal",
      "a string for a signal",
      ({ webhooks }) => webhooks.update("wh_1", { name: "n" }, { signal: "x" as never }),
    ],
    ["colour", "an unknown field", ({ webhooks }) => webhooks.update("wh_1", { colour: "red" } as never)],
    [
      "activate",
      "activate that is not a boolean",
      ({ webhooks }) => webhooks.ensure({ ...whole, activate: "no" as never }),
    ],
  ];

  it.each(cases)("is refused by name (%s), and nothing is sent: %s", async (naming, _case, call) => {
    const server = await startBluum();
    await expect(call(clientOf(server))).rejects.toEqual(refusal(naming));
    expect(server.requests).toEqual([]);
  });

  it("never changes the path of a request, for any id", async () => {
    const server = await startBluum();
    const { webhooks } = clientOf(server);
    const hostile = fc.oneof(fc.string(), fc.constantFrom("..", ".", "", "a/b", "a?b", "a#b", "%2e%2e", "wh_1\\..\\"));
    await fc.assert(
      fc.asyncProperty(hostile, async (id) => {
        const { code } = await webhooks.delete(id).catch((error) => error);
        expect(code).toBe(/^[\w~:-][\w.~:-]*$/.test(id) ? "not_found" : "configuration_invalid");
      }),
      { numRuns: 60 },
    );
    for (const { path } of server.requests) expect(path).toMatch(/^\/v1\/webhooks\/[^/]+$/);
  });
});
