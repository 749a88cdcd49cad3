import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { exhaustive, inFull } from "../../exhaustive.ts";
import { graveFindings } from "../../page/axe.ts";
import { describeInBrowser, type Open } from "../../page/browser.ts";
import { failing, ids, inspected, park, type Settings } from "./inspected.ts";

/** The counts are read every two seconds. */
const SOON = { timeout: 10_000 };

const rows = (page: Page) => page.locator("#events > li");
const names = (page: Page) => rows(page).locator(".id").allInnerTexts();
const panel = (page: Page) => page.locator(".panel");
const parkedTile = (page: Page) => page.locator(".state", { hasText: "Parked" }).locator(".number");
const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name, exact: true });
const notice = (page: Page, text: string) => page.getByRole("status").getByText(text);
const focusedText = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "");

/** The page of an inbox with these parked events. */
async function opened(
  open: Open,
  events: Parameters<typeof park>[1],
  { hash = "", ...settings }: Settings & Parameters<Open>[1] = {},
) {
  const { mask, ...browsing } = settings as Settings & NonNullable<Parameters<Open>[1]>;
  const server = await inspected(mask === undefined ? {} : { mask });
  if (events.length > 0) await park(server.inbox, events);
  const page = await open(server, { hash, ...browsing });
  const trouble: string[] = [];
  page.on("console", (message) => message.type() === "error" && trouble.push(message.text()));
  page.on("pageerror", ({ message }) => trouble.push(message));
  await page.getByText("Live", { exact: true }).waitFor();
  return { ...server, page, trouble };
}

const addressOf = (key: string) => `#/events/${encodeURIComponent(key)}`;

describeInBrowser("the page of an inbox", (open) => {
  it("says that nothing is parked, and lists an event once it is", async () => {
    const { page, inbox, trouble } = await opened(open, []);
    await page.getByRole("heading", { name: "Nothing is parked" }).waitFor();
    expect(await parkedTile(page).innerText()).toBe("0");
    await park(inbox, failing(["ord_1"], "order.filled", { error: "the ledger is away" }));
    await expect.poll(() => names(page), SOON).toEqual(["ord_1"]);
    expect(await parkedTile(page).innerText()).toBe("1");
    expect(await rows(page).first().innerText()).toContain("the ledger is away");
    expect(trouble).toEqual([]);
  });

  it("opens an event with its error, payload and headers", async () => {
    const { page, trouble } = await opened(open, failing(["ord_1"], "order.filled", { error: "the ledger is away" }));
    await rows(page).getByRole("link").click();
    await panel(page).getByRole("heading", { name: "order.filled" }).waitFor();
    await panel(page).getByText("after 1 attempt", { exact: false }).waitFor();
    expect(await panel(page).locator(".failure").innerText()).toBe("the ledger is away");
    expect(await panel(page).locator(".code pre").innerText()).toContain("ParkEvent: the ledger is away");
    expect(await panel(page).locator(".body pre").innerText()).toContain('"account_number": "DE02-7001"');
    await panel(page).getByText("Headers of the delivery").click();
    await panel(page).getByRole("row", { name: "x-bluum-signature 0af1" }).waitFor();
    await button(page, "Close the event").click();
    expect(await panel(page).count()).toBe(0);
    expect(trouble).toEqual([]);
  });

  it("shows a payload as it is masked, and says so", async () => {
    const mask = ({ event }: Record<string, unknown>) => ({ event });
    const [event] = failing(["ord_1"]);
    const { page } = await opened(open, failing(["ord_1"]), { mask, hash: addressOf(event?.key ?? "") });
    await panel(page).getByText("shown as this app masks it").waitFor();
    expect(await panel(page).locator(".body pre").innerText()).toBe('{\n  "event": "order.filled"\n}');
  });

  it("redrives one event, a selection, and all of a type", async () => {
    const events = [...failing(ids(5)), ...failing(ids(3), "kyc.approved")];
    const { page, inbox, trouble } = await opened(open, events, { hash: addressOf(events[0]?.key ?? "") });
    await panel(page).getByRole("button", { name: "Redrive" }).click();
    await notice(page, "1 event waits again.").waitFor();
    await expect.poll(() => rows(page).count()).toBe(7);
    expect(await panel(page).count()).toBe(0);
    await page.getByLabel("Select order.filled, ord_0001").check();
    await page.getByLabel("Select order.filled, ord_0002").check();
    await button(page, "Redrive 2").click();
    await notice(page, "2 events wait again.").waitFor();
    await expect.poll(() => rows(page).count()).toBe(5);
    await page.getByLabel("Type").fill("kyc.approved");
    await page.keyboard.press("Enter");
    await expect.poll(() => rows(page).count()).toBe(3);
    await button(page, "Redrive all kyc.approved").click();
    await page.getByRole("dialog").getByRole("button", { name: "Redrive" }).click();
    await notice(page, "3 events wait again.").waitFor();
    await page.getByRole("heading", { name: "No parked event matches" }).waitFor();
    await button(page, "Show all").last().click();
    await expect.poll(() => names(page)).toEqual(["ord_0003", "ord_0004"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 6, parked: 2 });
    expect(trouble).toEqual([]);
  });

  it("discards only after a confirmation", async () => {
    const { page, inbox } = await opened(open, failing(ids(4)));
    await page.getByLabel("Select order.filled, ord_0000").check();
    await button(page, "Discard 1").click();
    const dialog = page.getByRole("dialog", { name: "Discard 1 event?" });
    await dialog.getByText("deleted for good").waitFor();
    expect(await focusedText(page)).toBe("Cancel");
    await page.keyboard.press("Escape");
    await button(page, "Discard 1").click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(await inbox.stats()).toMatchObject({ parked: 4 });
    await button(page, "Discard 1").click();
    await dialog.getByRole("button", { name: "Discard" }).click();
    await notice(page, "1 event was discarded.").waitFor();
    await expect.poll(() => names(page)).toEqual(["ord_0001", "ord_0002", "ord_0003"]);
    await button(page, "Discard all").click();
    await page
      .getByRole("dialog", { name: "Discard all parked events?" })
      .getByRole("button", { name: "Discard" })
      .click();
    await page.getByRole("heading", { name: "Nothing is parked" }).waitFor();
    expect(await inbox.stats()).toMatchObject({ waiting: 0, parked: 0 });
  });

  it("turns pages, and selects a page at once", async () => {
    const { page } = await opened(open, failing(ids(120)));
    await expect.poll(() => rows(page).count()).toBe(50);
    await page.getByLabel("Select the page").check();
    await button(page, "Redrive 50").waitFor();
    await button(page, "Next").click();
    await expect.poll(async () => (await names(page))[0]).toBe("ord_0050");
    expect(await page.getByRole("checkbox", { checked: true }).count()).toBe(0);
    await button(page, "Next").click();
    await expect.poll(() => rows(page).count()).toBe(20);
    expect(await button(page, "Next").isDisabled()).toBe(true);
    await button(page, "Previous").click();
    await button(page, "Previous").click();
    await expect.poll(async () => (await names(page))[0]).toBe("ord_0000");
  });

  it("keeps what is typed, the selection and the opened event while the list changes", async () => {
    const events = failing(ids(2));
    const { page, inbox } = await opened(open, events, { hash: addressOf(events[0]?.key ?? "") });
    await page.getByLabel("Select order.filled, ord_0001").check();
    await page.getByRole("searchbox", { name: "Key" }).pressSequentially("shop/ord");
    await park(inbox, failing(["later"]));
    await expect.poll(() => rows(page).count(), SOON).toBe(3);
    expect(await page.getByRole("searchbox", { name: "Key" }).inputValue()).toBe("shop/ord");
    expect(await page.getByLabel("Select order.filled, ord_0001").isChecked()).toBe(true);
    await panel(page).getByRole("heading", { name: "order.filled" }).waitFor();
  });

  it("says that an event is not parked any more", async () => {
    const { page } = await opened(open, failing(["a"]), { hash: addressOf("unknown") });
    await panel(page).getByText("This event is not parked any more.").waitFor();
  });

  it("violates no content policy, and calls nothing but its own address", async () => {
    const { page, url, trouble } = await opened(open, failing(["a"]));
    await rows(page).getByRole("link").click();
    await panel(page).getByRole("heading", { name: "Payload" }).waitFor();
    const called = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
    expect(called.length).toBeGreaterThan(2);
    expect(called.filter((name) => !name.startsWith(`${url}?call=`))).toEqual([]);
    expect(await page.evaluate(() => getComputedStyle(document.body).margin), "the style is let through").toBe("0px");
    expect(trouble).toEqual([]);
  });

  it("shows hostile text as text", async () => {
    const text = `<img src=x onerror="document.title='owned'">\u202e`;
    const hostile = failing(["x"], "order.filled", {
      id: text,
      error: text,
      body: JSON.stringify({ text }),
      headers: { a: text },
    });
    const { page, trouble } = await opened(open, hostile, { hash: addressOf(hostile[0]?.key ?? "") });
    await panel(page).getByRole("heading", { name: "Payload" }).waitFor();
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe("Inbox – bluum-webhooks");
    expect(await panel(page).locator(".failure").innerText()).toContain("<img src=x");
    expect(await panel(page).locator(".failure").innerText()).toContain("⟨U+202E⟩");
    expect(trouble).toEqual([]);
  });

  it("says that it may not be seen any more", async () => {
    let allowed = true;
    const server = await inspected({ authorize: () => allowed });
    await park(server.inbox, failing(["a"]));
    const page = await open(server);
    await rows(page).first().waitFor();
    allowed = false;
    await button(page, "Refresh").click();
    await page.getByRole("alert").getByText("You may not see this page any more").waitFor();
  });
});

describeInBrowser("the page of an inbox by keyboard alone", (open) => {
  it("walks through the list, opens, selects, redrives and discards", async () => {
    const { page, inbox } = await opened(open, failing(ids(4)));
    await rows(page).first().waitFor();
    await page.keyboard.press("j");
    await expect.poll(() => focusedText(page)).toContain("ord_0000");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await expect.poll(() => focusedText(page)).toBe("order.filled");
    await page.keyboard.press("Escape");
    await expect.poll(() => focusedText(page)).toContain("ord_0001");
    await page.keyboard.press("x");
    await page.keyboard.press("k");
    await page.keyboard.press("x");
    await page.keyboard.press("r");
    await notice(page, "2 events wait again.").waitFor();
    await expect.poll(() => names(page)).toEqual(["ord_0002", "ord_0003"]);
    await expect.poll(() => focusedText(page)).toContain("ord_0002");
    await page.keyboard.press("Enter");
    await panel(page).getByRole("heading", { name: "Payload" }).waitFor();
    await page.keyboard.press("d");
    await page.getByRole("dialog", { name: "Discard 1 event?" }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await notice(page, "1 event was discarded.").waitFor();
    await expect.poll(() => names(page)).toEqual(["ord_0003"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 2, parked: 1 });
  });

  it("reaches every control by Tab", async () => {
    const { page } = await opened(open, failing(ids(1)));
    await rows(page).first().waitFor();
    const reached = new Set<string>();
    for (let tabs = 0; tabs < 30; tabs++) {
      await page.keyboard.press("Tab");
      reached.add(
        await page.evaluate(() => {
          const element = document.activeElement as HTMLInputElement | null;
          return element?.ariaLabel ?? element?.labels?.[0]?.innerText.trim() ?? element?.innerText ?? "";
        }),
      );
    }
    for (const name of [
      "Theme: system",
      "Keyboard and help",
      "Type",
      "Key",
      "Select the page",
      "Redrive all",
      "Discard all",
      "Select order.filled, ord_0000",
      "Refresh",
    ]) {
      expect([...reached]).toContain(name);
    }
  });

  it("lists its keys, which are off while typing", async () => {
    const { page } = await opened(open, failing(ids(2)));
    await page.keyboard.press("/");
    await page.keyboard.type("jrd?");
    expect(await page.getByLabel("Type").inputValue()).toBe("jrd?");
    await page.locator("h1").click();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).getByText("discard them, after a confirmation").waitFor();
  });
});

/** A state of the page, and how to wait for it. */
interface State {
  readonly name: string;
  readonly events: Parameters<typeof park>[1];
  readonly hash?: string;
  readonly ready: (page: Page) => Promise<void>;
}

describeInBrowser("the page of an inbox for everyone", (open) => {
  const events = [...failing(ids(8)), ...failing(ids(3), "transfer.deposit.completed", { error: "x".repeat(400) })];
  const firstRow = (page: Page) => rows(page).first().waitFor();
  const STATES: readonly State[] = [
    { name: "the list", events, ready: firstRow },
    {
      name: "an event",
      events,
      hash: addressOf(events[0]?.key ?? ""),
      ready: (page) => page.getByRole("heading", { name: "Payload" }).waitFor(),
    },
    { name: "empty", events: [], ready: (page) => page.getByText("Nothing is parked").waitFor() },
    { name: "a confirmation", events, ready: (page) => button(page, "Discard all").click() },
  ];

  describe("has no serious or critical finding by axe-core", inFull, () => {
    for (const { name, events, hash = "", ready } of exhaustive ? STATES : STATES.slice(0, 2)) {
      for (const colorScheme of ["light", "dark"] as const) {
        for (const viewport of [
          { width: 1280, height: 800 },
          { width: 360, height: 740 },
        ]) {
          it(`on ${name}, ${colorScheme}, ${viewport.width} wide`, async () => {
            const { page } = await opened(open, events, { hash, colorScheme, viewport, bypassCSP: true });
            await ready(page);
            const { grave, passes } = await graveFindings(page);
            expect(grave).toEqual([]);
            expect(passes).toBeGreaterThan(12);
            const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            expect(overflow, "nothing sticks out at the side").toBeLessThanOrEqual(0);
          });
        }
      }
    }
  });
});
