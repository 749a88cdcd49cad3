import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { describePage } from "./browser.ts";
import { deliveries, delivery, endpoint } from "./world.ts";

const WORLD = { endpoints: [endpoint()], deliveries: [...deliveries(60), delivery("d"), delivery("e")] };
const notices = (page: Page) => page.locator(".notice");
const duplicate = (page: Page) => page.getByRole("button", { name: "Duplicate" }).click();

/** The colour of a notice's mark. */
const markOf = (page: Page, text: string) =>
  notices(page)
    .filter({ hasText: text })
    .evaluate((notice) => getComputedStyle(notice).borderLeftColor);

describePage("the notices of what buttons did", ({ open, serve }) => {
  it("are green only if something was done", async () => {
    const server = await serve({ ...WORLD, deliveries: [delivery("d"), delivery("p", { state: "parked" })] });
    const page = await open(server, { hash: "#/deliveries/d" });
    await page.getByRole("button", { name: "Replay 1 parked" }).waitFor();
    server.supersedeUnseen("p");
    await page.getByRole("button", { name: "Replay 1 parked" }).click();
    await duplicate(page);
    server.refusal = "Not possible.";
    await page.getByRole("button", { name: "Forge" }).click();
    const marks = [
      await markOf(page, "nothing to replay"),
      await markOf(page, "Duplicate: 1 delivery"),
      await markOf(page, "Not possible."),
    ];
    expect(new Set(marks).size).toBe(3);
    const [good, bad] = await page.evaluate(() => {
      const probe = document.body.appendChild(document.createElement("i"));
      return ["--good", "--bad"].map((name) => {
        probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color;
      });
    });
    expect(marks.slice(1)).toEqual([good, bad]);
  });

  it("disappear by themselves, except errors", async () => {
    const server = await serve(WORLD);
    const page = await open(server, { hash: "#/deliveries/d" });
    await page.getByRole("heading", { name: "Request" }).waitFor();
    await page.clock.install();
    await duplicate(page);
    await notices(page).filter({ hasText: "Duplicate" }).waitFor();
    server.refusal = "Not possible.";
    await page.getByRole("button", { name: "Replay", exact: true }).click();
    await notices(page).filter({ hasText: "Not possible." }).waitFor();
    await page.clock.runFor(5_000);
    expect(await notices(page).count()).toBe(2);
    await page.clock.runFor(60_000);
    await expect.poll(() => notices(page).allInnerTexts()).toEqual([expect.stringContaining("Not possible.")]);
    await page.getByRole("button", { name: "Dismiss" }).click();
    await expect.poll(() => notices(page).count()).toBe(0);
  });

  it("keep errors when others come, and show the same error once", async () => {
    const server = await serve(WORLD);
    const page = await open(server, { hash: "#/deliveries/d" });
    server.refusal = "Not possible.";
    await duplicate(page);
    await duplicate(page);
    await expect.poll(() => server.pressed.length).toBe(2);
    await notices(page).filter({ hasText: "Not possible." }).waitFor();
    server.refusal = undefined;
    for (const type of ["a.a", "b.b", "c.c", "d.d"]) {
      await page.evaluate(() => document.querySelector<HTMLElement>(".close")?.click());
      await page.getByLabel("One event").fill(type);
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await notices(page).filter({ hasText: type }).waitFor();
    }
    expect(await notices(page).count()).toBe(4);
    expect(await page.getByRole("alert").locator(".notice").count()).toBe(1);
  });

  it("stay while the pointer is over them or the focus is in them", async () => {
    const page = await open(await serve(WORLD), { hash: "#/deliveries/d" });
    await page.getByRole("heading", { name: "Request" }).waitFor();
    await page.clock.install();
    await duplicate(page);
    await notices(page).hover();
    await page.clock.runFor(60_000);
    expect(await notices(page).count()).toBe(1);
    await page.getByRole("button", { name: "Dismiss" }).focus();
    await page.mouse.move(0, 0);
    await page.clock.runFor(60_000);
    expect(await notices(page).count()).toBe(1);
    await page.locator("#delivery-title").focus();
    await page.clock.runFor(5_000);
    expect(await notices(page).count(), "the time starts again").toBe(1);
    await page.clock.runFor(5_000);
    await expect.poll(() => notices(page).count()).toBe(0);
  });

  for (const viewport of [
    { width: 1280, height: 800 },
    { width: 390, height: 844 },
    { width: 360, height: 740 },
  ]) {
    it(`cover no other element, ${viewport.width} wide`, async () => {
      const server = await serve({ ...WORLD, deliveries: [...WORLD.deliveries, delivery("p", { state: "parked" })] });
      const page = await open(server, { viewport });
      server.refusal = `Not possible: ${"a long reason ".repeat(12)}`;
      const replay = page.getByRole("button", { name: /^Replay \d/ });
      await replay.click();
      await page.getByRole("alert").locator(".notice").waitFor();
      server.refusal = undefined;
      await replay.click();
      await page.getByRole("status").locator(".notice").waitFor();
      const found = await page.evaluate(() => {
        const boxOf = (selector: string) => (document.querySelector(selector) as Element).getBoundingClientRect();
        const notices = boxOf(".notices");
        const main = boxOf("main");
        const others = [main, boxOf("aside"), boxOf(".tabs")].filter(({ width }) => width > 0);
        return {
          parts: others.length,
          inView: notices.top >= 0 && notices.bottom <= innerHeight && notices.height > 20,
          covers: others.some(({ top, bottom }) => top < notices.bottom && notices.top < bottom),
          listPx: Math.min(main.bottom, boxOf("#deliveries").bottom) - boxOf("#deliveries").top,
        };
      });
      expect(found).toMatchObject({ parts: 2, inView: true, covers: false });
      expect(found.listPx, "the list stays in view").toBeGreaterThan(100);
    });
  }
});
