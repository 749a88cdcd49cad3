import type { Page } from "playwright-core";
import { afterAll, describe, expect, it } from "vitest";
import type { Inbox } from "../../../src/inbox/inbox.ts";
import type { ParkedList } from "../../../src/inbox/page/api.ts";
import { exhaustive, inFull, runs } from "../../exhaustive.ts";
import { describeInBrowser } from "../../page/browser.ts";
import { findPostgres } from "../../services/postgres.ts";
import { findRedis } from "../../services/redis.ts";
import { get, post } from "./calls.ts";
import { bullmqCrowd, pgBossCrowd, RARE_TYPE, sqliteCrowd } from "./crowds.ts";
import { inspected } from "./inspected.ts";

/** So many are parked, and as many wait. CROWD=100000 EXHAUSTIVE=true takes some minutes. */
const CROWD = Number(process.env.CROWD ?? runs(3_000, 10_000));
const RARE = Math.floor(CROWD / 1_000);
const PATIENCE = { timeout: 300_000 };

const redis = exhaustive ? await findRedis() : undefined;
const postgres = exhaustive ? await findPostgres() : undefined;

/** The engines that are there: SQLite in `npm test`, all with EXHAUSTIVE=true. */
const CROWDS: readonly (readonly [string, () => Promise<Inbox>])[] = [
  ["sqlite", () => sqliteCrowd(CROWD)],
  ...(redis === undefined ? [] : [["bullmq", () => bullmqCrowd(redis, CROWD)] as const]),
  ...(postgres === undefined ? [] : [["pg-boss", () => pgBossCrowd(postgres, CROWD)] as const]),
];

afterAll(async () => {
  await redis?.stop();
  await postgres?.stop();
});

describe.each(CROWDS)("the page of an inbox on %s with a crowd", (_, crowd) => {
  it("answers each call, with a bounded answer, and finds the few of one type among all", {
    ...inFull,
    ...PATIENCE,
  }, async () => {
    const { url } = await inspected({ inbox: await crowd() });
    const quick = async (query: Record<string, string>) => {
      const startedAt = performance.now();
      const { status, text, value } = await get(url, query);
      expect(performance.now() - startedAt, JSON.stringify(query)).toBeLessThan(10_000);
      expect(status).toBe(200);
      expect(text.length).toBeLessThan(40_000);
      return value;
    };
    const { counts } = (await quick({ call: "overview" })) as { counts: object };
    expect(counts).toMatchObject({ waiting: CROWD, parked: CROWD });
    const seen = new Set<string>();
    let cursor = "";
    for (let page = 0; page < 5; page++) {
      const list = (await quick({ call: "parked", cursor })) as ParkedList;
      for (const { key } of list.events) seen.add(key);
      cursor = list.cursor ?? "";
    }
    expect(seen.size).toBe(250);
    await quick({ call: "event", key: [...seen].at(-1) ?? "" });
    const rare = (await get(url, { call: "parked", type: RARE_TYPE })).value as ParkedList;
    expect(rare.events.length).toBe(Math.min(RARE, 50));
    expect((await post(url, "redrive", { type: RARE_TYPE })).value).toEqual({ count: RARE });
  });
});

describeInBrowser("the page in the browser with a crowd", (open) => {
  it.each(CROWDS)("stays usable on %s", { ...inFull, ...PATIENCE }, async (_, crowd) => {
    const { url } = await inspected({ inbox: await crowd() });
    const page = await open({ url });
    page.setDefaultTimeout(60_000);
    const rows = page.locator("#events > li");
    await expect.poll(() => rows.count(), { timeout: 60_000 }).toBe(50);
    await page.locator(".state", { hasText: "Parked" }).getByText(CROWD.toLocaleString("en")).waitFor();
    expect(await elements(page), "elements of the document").toBeLessThan(1_500);
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("Page 2").waitFor();
    await page.getByText("Page 2 …").waitFor({ state: "detached" });
    await rows.nth(3).getByRole("link").click();
    await page.locator(".panel").getByRole("heading", { name: "Payload" }).waitFor();
    await page.locator(".panel").getByRole("button", { name: "Redrive" }).click();
    await page.getByRole("status").getByText("1 event waits again.").waitFor();
    await page.getByLabel("Type").fill(RARE_TYPE);
    await page.keyboard.press("Enter");
    await expect.poll(() => rows.count(), { timeout: 120_000 }).toBe(Math.min(RARE, 50));
  });
});

const elements = (page: Page) => page.evaluate(() => document.querySelectorAll("*").length);
