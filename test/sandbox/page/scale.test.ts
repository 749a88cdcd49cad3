import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { exhaustive, inFull } from "../../exhaustive.ts";
import { describePage } from "./browser.ts";
import { DAWN, deliveries, delivery, endpoint } from "./world.ts";

const COUNT = 10_000;
const END = DAWN + 86_400_000;
const ENDPOINTS = [endpoint(), endpoint({ id: "wh_2", name: "Ledger" })];

/** Scrolls the list for a while and returns the durations of the frames. */
async function framesWhile(page: Page, pixelsPerFrame: number, frames: number): Promise<number[]> {
  return page.evaluate(
    async ([step, count]) => {
      const list = document.getElementById("deliveries") as HTMLElement;
      const times: number[] = [];
      let last = await new Promise<number>(requestAnimationFrame);
      for (let frame = 0; frame < count; frame++) {
        list.scrollTop += step;
        const now = await new Promise<number>(requestAnimationFrame);
        times.push(now - last);
        last = now;
      }
      return times.sort((one, other) => one - other);
    },
    [pixelsPerFrame, frames] as const,
  );
}

const at = (sorted: readonly number[], share: number) =>
  `${(sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)} ms`;
const figuresOf = (times: readonly number[]) =>
  `median ${at(times, 0.5)}, 95 % ${at(times, 0.95)}, longest ${at(times, 0.9999)}`;

const heapOf = (page: Page) =>
  page.evaluate(() => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize / 1e6);

describePage("the page at 10,000 deliveries", ({ open, serve }) => {
  it.runIf(exhaustive)(
    "keeps only visible rows in the document and stays fluid under many changes",
    { ...inFull, timeout: 60_000 },
    async () => {
      const server = await serve({ endpoints: ENDPOINTS, deliveries: deliveries(COUNT) });
      const page = await open(server);
      await page.locator("#deliveries [role=option]").first().waitFor();
      const shown = await page.evaluate(async () => {
        await new Promise(requestAnimationFrame);
        return performance.now();
      });
      const paint = await page.evaluate(
        () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
      );
      expect(await page.locator("#deliveries [role=option]").first().getAttribute("aria-setsize")).toBe(String(COUNT));
      const heap = await heapOf(page);

      const scrolling = await framesWhile(page, 900, 200);
      expect(await page.locator("#deliveries [role=option]").count()).toBeLessThan(60);

      let sent = 0;
      const storm = setInterval(() => {
        for (let each = 0; each < 20; each++) {
          server.put(delivery(`storm_${sent}`, { createdAt: END + sent * 10, state: "sending" }));
          server.put(delivery(`storm_${sent}`, { createdAt: END + sent * 10 }));
          server.emit({ kind: "deliveries_dropped", now: END, ids: [`dlv_${String(sent).padStart(5, "0")}`] });
          sent += 1;
        }
      }, 20);
      const stormy = await framesWhile(page, 300, 200).finally(() => clearInterval(storm));
      server.emit({ kind: "endpoint", now: END, endpoint: endpoint({ id: "wh_2", name: "After the storm" }) });
      await page.getByRole("heading", { name: "After the storm" }).waitFor({ timeout: 30_000 });
      await page.locator("#deliveries").evaluate((list) => list.scrollTo(0, 0));
      await page.locator(`#row-storm_${sent - 1}`).waitFor();
      expect(await page.locator("#deliveries [role=option]").first().getAttribute("aria-setsize")).toBe(String(COUNT));
      expect(await page.locator("#deliveries [role=option]").count()).toBeLessThan(60);

      const file = statSync(fileURLToPath(new URL("../../../dist/src/sandbox/page.html", import.meta.url))).size;
      console.log(
        [
          `The page at ${COUNT} deliveries (${(file / 1_000).toFixed(0)} kB in one file):`,
          `  first paint after ${paint.toFixed(0)} ms, the list stood after at most ${shown.toFixed(0)} ms`,
          `  scrolling 15 rows a frame: ${figuresOf(scrolling)}`,
          `  scrolling while ${sent * 3} changes came: ${figuresOf(stormy)}`,
          `  JavaScript heap ${heap.toFixed(1)} MB when it stood, ${(await heapOf(page)).toFixed(1)} MB after the storm`,
        ].join("\n"),
      );
      expect(file).toBeLessThan(125_000);
    },
  );
});
