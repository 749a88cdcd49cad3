import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { describePage } from "./page-browser.ts";
import { deliveries, endpoint } from "./page-world.ts";

const LONG_URL = `https://hooks.example.com/webhooks/${"x".repeat(200)}`.slice(0, 200);

/** On a narrow screen the endpoints are behind a tab. */
async function showEndpoints(page: Page): Promise<void> {
  const tab = page.getByRole("button", { name: "Send and endpoints" });
  if (await tab.isVisible()) await tab.click();
}

describePage("the endpoints panel", ({ open, serve }) => {
  for (const width of [1280, 1024, 390, 360]) {
    it(`holds an endpoint that is named by its long URL, ${width} wide`, async () => {
      const eventTypeNames = [`order.${"y".repeat(200)}`, "transfer.*"];
      const long = endpoint({ name: LONG_URL, url: LONG_URL, eventTypeNames });
      const server = await serve({ endpoints: [endpoint({ id: "wh_2" }), long], deliveries: deliveries(5) });
      const page = await open(server, { viewport: { width, height: 800 } });
      await showEndpoints(page);
      await page.locator(".endpoint").nth(1).waitFor();
      const sizes = await page
        .locator("aside, aside .card, .endpoints, .endpoint")
        .evaluateAll((all) => all.map(({ className, clientWidth, scrollWidth }) => ({ className, clientWidth, scrollWidth })));
      expect(sizes.length).toBeGreaterThanOrEqual(6);
      for (const { className, clientWidth, scrollWidth } of sizes) {
        expect(clientWidth).toBeGreaterThan(0);
        expect(scrollWidth, className).toBeLessThanOrEqual(clientWidth);
      }
    });
  }
});
