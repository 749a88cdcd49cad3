import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { exhaustive, inFull } from "../../exhaustive.ts";
import { graveFindings } from "../../page/axe.ts";
import { describePage } from "./browser.ts";
import type { PageServer } from "./server.ts";
import { attempt, DAWN, deliveries, delivery, endpoint, failures } from "./world.ts";

const WORLD = {
  endpoints: [endpoint(), endpoint({ id: "wh_2", name: "Ledger", status: "INACTIVE", recent: [500, null] })],
  deliveries: [
    ...deliveries(60, 5),
    delivery("forged", {
      origin: "forged",
      state: "parked",
      attempts: [attempt(DAWN, { status: 401, fault: "skewed" })],
    }),
    delivery("unhandled", { attempts: [attempt(DAWN, { unhandled: true })] }),
    delivery("retrying", { state: "retrying", attempts: failures(DAWN, 3) }),
  ],
};

async function openForm(page: Page): Promise<void> {
  const tab = page.getByRole("button", { name: "Send and endpoints" });
  if (await tab.isVisible()) await tab.click();
  await page.getByRole("button", { name: "Add endpoint" }).click();
  await page.getByRole("form", { name: "Add endpoint" }).waitFor();
}

async function addEndpoint(page: Page): Promise<void> {
  await openForm(page);
  await page.getByLabel("URL").fill("http://localhost:3000/webhooks/bluum");
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Endpoint added" }).waitFor();
}

async function press(page: Page, server: PageServer): Promise<void> {
  const replay = page.getByRole("button", { name: /^Replay \d/ });
  server.refusal = "The sandbox is closing.";
  await replay.click();
  await page.getByRole("alert").locator(".notice").waitFor();
  server.refusal = undefined;
  await replay.click();
  await page.getByRole("status").locator(".notice").waitFor();
}

/** What `npm test`, too, checks by axe-core. */
const DAILY = ["the list, light, 360 wide", "a forged delivery, dark, 1280 wide"];

const focused = (page: Page) => page.evaluate(() => document.activeElement?.id ?? "");
const focusedText = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "");
const title = (page: Page) => page.locator("#delivery-title");

describePage("the page by keyboard alone", ({ open, serve }) => {
  it("moves the focus to the list, into a delivery and back", async () => {
    const server = await serve({
      endpoints: [endpoint()],
      deliveries: ["a", "b", "c"].map((id) => delivery(id, { type: `order.${id}` })),
    });
    const page = await open(server);
    await page.locator("#deliveries").waitFor();
    for (let tabs = 0; tabs < 30 && (await focused(page)) !== "deliveries"; tabs++) await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("deliveries");
    const active = () => page.locator("#deliveries").getAttribute("aria-activedescendant");
    expect(await active()).toBe("row-c");
    await page.keyboard.press("ArrowDown");
    await expect.poll(active).toBe("row-b");
    await page.keyboard.press("End");
    await expect.poll(active).toBe("row-a");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await expect.poll(() => focusedText(page)).toBe("order.b");
    await page.keyboard.press("Escape");
    await expect.poll(() => focused(page)).toBe("deliveries");
    expect(await active()).toBe("row-b");
  });

  it("opens the next delivery by arrow key while the focus stays in the list", async () => {
    const server = await serve({
      endpoints: [endpoint()],
      deliveries: ["a", "b", "c"].map((id) => delivery(id, { type: `order.${id}` })),
    });
    const page = await open(server, { hash: "#/deliveries/c" });
    await expect.poll(() => title(page).innerText()).toBe("order.c");
    await page.locator("#deliveries").focus();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => title(page).innerText()).toBe("order.b");
    expect(await focused(page)).toBe("deliveries");
    await page.keyboard.press("j");
    await expect.poll(() => title(page).innerText()).toBe("order.a");
    await page.goBack();
    expect(page.url()).toBe("about:blank");
  });

  it("scrolls to the active row and keeps it in the document", async () => {
    const page = await open(await serve({ endpoints: [endpoint()], deliveries: deliveries(2_000) }));
    await page.locator("#deliveries").focus();
    await page.keyboard.press("End");
    const last = page.locator("#row-dlv_00000");
    await last.waitFor();
    const inView = () => last.evaluate((row) => row.getBoundingClientRect().bottom <= innerHeight + 1);
    await expect.poll(inView).toBe(true);
    await page.locator("#deliveries").evaluate((list) => list.scrollTo(0, 0));
    await page.locator("#row-dlv_01999").waitFor();
    expect(await last.count()).toBe(1);
  });

  it("has single-key shortcuts that are off while typing and can be disabled", async () => {
    const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("d")] });
    const page = await open(server, { hash: "#/deliveries/d" });
    await title(page).waitFor();
    await page.keyboard.press("d");
    await page.getByText("Duplicate: 1 delivery").waitFor();
    await page.keyboard.press("/");
    await expect.poll(() => focused(page)).toBe("search");
    await page.keyboard.type("rd");
    expect(server.pressed.length).toBe(1);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.keyboard.press("s");
    await expect.poll(() => focused(page)).toBe("event-type");
    await page.locator("h1").click();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).getByLabel("Single-letter shortcuts").uncheck();
    await page.keyboard.press("Escape");
    await page.keyboard.press("t");
    expect(await page.locator("html").getAttribute("data-theme")).toBe("system");
  });

  it("shows its keys in a dialog that returns the focus", async () => {
    const page = await open(await serve());
    const help = page.getByRole("button", { name: "Keyboard and help" });
    await help.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    const keys = await page.getByRole("dialog").locator("kbd").allInnerTexts();
    const [, documented = ""] = readFileSync("docs/reference/inspector.md", "utf8").split("## Keyboard");
    const rows = documented.split("\n").filter((line) => line.startsWith("| `"));
    const firstCells = rows.map((row) => row.split("|")[1] ?? "").join();
    expect(keys).toEqual([...firstCells.matchAll(/`([^`]+)`/g)].map(([, key]) => key));
    await page.keyboard.press("Escape");
    await expect.poll(() => help.evaluate((button) => button === document.activeElement)).toBe(true);
  });
});

describePage("the page for everyone", ({ open, serve }) => {
  it("cycles through the themes and remembers the choice", async () => {
    const page = await open(await serve(), { colorScheme: "light" });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole("button", { name: "Theme: system" }).click();
    await page.getByRole("button", { name: "Theme: light" }).click();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    expect(await ground()).not.toBe(light);
    await page.reload();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    expect(await ground()).not.toBe(light);
  });

  it("animates nothing if the system prefers reduced motion", async () => {
    const page = await open(await serve(WORLD), { reducedMotion: "reduce" });
    await page.getByRole("button", { name: /^Replay \d+ parked/ }).click();
    await page.locator(".notice").first().waitFor();
    const moving = () => document.getAnimations().length;
    expect(await page.evaluate(moving)).toBe(0);
  });

  it("announces new deliveries to screen readers in one sentence", async () => {
    const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("d")] });
    const page = await open(server);
    await page.clock.install();
    await page.reload();
    const announcement = page.locator(".page > [role=status]").last();
    const expectAnnouncement = async (lastRow: string, text: string) => {
      await page.locator(lastRow).waitFor();
      await page.clock.runFor(5_000);
      await expect.poll(() => announcement.innerText()).toBe(text);
    };
    await expectAnnouncement("#row-d", "1 new delivery");
    server.put(delivery("e"), delivery("f", { state: "parked" }));
    await expectAnnouncement("#row-f", "2 new deliveries, 1 parked");
    const refused = { state: "parked", attempts: [attempt(DAWN, { status: 401 })] } as const;
    server.put(delivery("g", { ...refused, origin: "forged" }), delivery("h", { ...refused, origin: "duplicate" }));
    server.put(delivery("i", { origin: "forged" }));
    await expectAnnouncement("#row-i", "3 new deliveries, 1 forgery accepted");
  });

  const STATES: readonly {
    readonly name: string;
    readonly world: NonNullable<Parameters<typeof serve>[0]>;
    readonly hash: string;
    readonly before?: (page: Page, server: PageServer) => Promise<void>;
  }[] = [
    { name: "empty", world: {}, hash: "" },
    { name: "the list", world: WORLD, hash: "" },
    { name: "a delivery", world: WORLD, hash: "#/deliveries/retrying" },
    { name: "a forged delivery", world: WORLD, hash: "#/deliveries/forged" },
    { name: "an unhandled delivery", world: WORLD, hash: "#/deliveries/unhandled" },
    { name: "the form for an endpoint", world: WORLD, hash: "", before: openForm },
    { name: "a new endpoint's secret", world: WORLD, hash: "", before: addEndpoint },
    { name: "notices", world: WORLD, hash: "", before: press },
  ];

  /** Each colour scheme and each width once: neither changes what the other shows. */
  const LOOKS = [
    ["light", 360],
    ["dark", 1280],
  ] as const;

  describe("has no serious or critical finding by axe-core", () => {
    for (const { name, world, hash, before } of STATES) {
      for (const [colorScheme, width] of LOOKS) {
        const viewport = { width, height: 760 };
        const looks = `${name}, ${colorScheme}, ${viewport.width} wide`;
        const daily = DAILY.includes(looks);
        it.runIf(daily || exhaustive)(`on ${looks}`, daily ? {} : inFull, async () => {
          const server = await serve(world);
          const page = await open(server, { hash, colorScheme, viewport, bypassCSP: true });
          await page.getByText("Live", { exact: true }).waitFor();
          if (hash !== "") await page.getByRole("heading", { name: "Request" }).waitFor();
          await before?.(page, server);
          const { grave, passes } = await graveFindings(page);
          expect(grave).toEqual([]);
          expect(passes).toBeGreaterThan(15);
        });
      }
    }
  });
});
