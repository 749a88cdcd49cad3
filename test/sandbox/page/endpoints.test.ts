import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { describePage } from "./browser.ts";
import { ADDED_SECRET } from "./server.ts";
import { deliveries, endpoint } from "./world.ts";

const LONG_URL = `https://hooks.example.com/webhooks/${"x".repeat(200)}`.slice(0, 200);

/** On a narrow screen the endpoints are behind a tab. */
async function showEndpoints(page: Page): Promise<void> {
  const tab = page.getByRole("button", { name: "Send and endpoints" });
  if (await tab.isVisible()) await tab.click();
}

describePage("the endpoints panel", ({ open, serve }) => {
  for (const width of [1280, 1024, 390, 360]) {
    it(`fits an endpoint that is named by its long URL, ${width} wide`, async () => {
      const eventTypeNames = [`order.${"y".repeat(200)}`, "transfer.*"];
      const long = endpoint({ name: LONG_URL, url: LONG_URL, eventTypeNames });
      const server = await serve({ endpoints: [endpoint({ id: "wh_2" }), long], deliveries: deliveries(5) });
      const page = await open(server, { viewport: { width, height: 800 } });
      await showEndpoints(page);
      await page.locator(".endpoint").nth(1).waitFor();
      const sizes = await page
        .locator("aside, aside .card, .endpoints, .endpoint, .endpoint-foot, .figures-line")
        .evaluateAll((all) =>
          all.map(({ className, clientWidth, scrollWidth }) => ({ className, clientWidth, scrollWidth })),
        );
      expect(sizes.length).toBeGreaterThanOrEqual(10);
      for (const { className, clientWidth, scrollWidth } of sizes) {
        expect(clientWidth).toBeGreaterThan(0);
        expect(scrollWidth, className).toBeLessThanOrEqual(clientWidth);
      }
    });
  }
});

const form = (page: Page) => page.getByRole("form", { name: "Add endpoint" });
const focusedId = (page: Page) => page.evaluate(() => document.activeElement?.id);

describePage("the form that adds an endpoint", ({ open, serve }) => {
  it("adds an endpoint by its URL alone and shows its secret once", async () => {
    const server = await serve({ endpoints: [endpoint()], deliveries: deliveries(5) });
    const page = await open(server);
    await page.getByRole("button", { name: "Add endpoint" }).click();
    await expect.poll(() => focusedId(page)).toBe("endpoint-url");
    await page.keyboard.type(" http://localhost:4000/hooks ");
    await page.keyboard.press("Enter");
    await expect.poll(() => focusedId(page)).toBe("secret-title");
    expect(server.pressed).toEqual([
      { method: "POST", path: "/_inspector/endpoints", body: { url: "http://localhost:4000/hooks" } },
    ]);
    const secret = page.getByRole("region", { name: "Endpoint added" });
    expect(await secret.locator("pre").innerText()).toBe(ADDED_SECRET);
    await secret.getByRole("button", { name: "Copy the secret" }).click();
    await secret.getByText("Copied").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(ADDED_SECRET);
    await page.locator(".endpoint").getByRole("heading", { name: "http://localhost:4000/hooks" }).waitFor();
    expect(await page.locator(".endpoint").count()).toBe(2);
    await secret.getByRole("button", { name: "Done" }).click();
    await secret.waitFor({ state: "detached" });
    expect(await page.content()).not.toContain(ADDED_SECRET);
  });

  it("sends the name and the event types that were entered", async () => {
    const server = await serve({ endpoints: [endpoint()], deliveries: deliveries(5) });
    const page = await open(server);
    await page.getByRole("button", { name: "Add endpoint" }).click();
    await form(page).getByLabel("URL").fill("https://hooks.example.com/a");
    await form(page).getByLabel("Name").fill(" Ledger ");
    await form(page).getByLabel("Event types").fill("order.*,  transfer.deposit.completed kyc.* ");
    await form(page).getByRole("button", { name: "Add" }).click();
    await page.getByRole("region", { name: "Endpoint added" }).getByText("Ledger").waitFor();
    const eventTypeNames = ["order.*", "transfer.deposit.completed", "kyc.*"];
    expect(server.pressed).toMatchObject([
      { body: { url: "https://hooks.example.com/a", name: "Ledger", eventTypeNames } },
    ]);
    expect(await form(page).count()).toBe(0);
  });

  it("keeps the input that the sandbox refuses and says why", async () => {
    const server = await serve({ endpoints: [endpoint()] });
    const page = await open(server);
    await page.getByRole("button", { name: "Add endpoint" }).click();
    await form(page).getByLabel("URL").fill("ftp://localhost/hooks");
    await form(page).getByRole("button", { name: "Add" }).click();
    await form(page).getByRole("alert").getByText("url must be https, except on this machine").waitFor();
    server.down = true;
    await form(page).getByRole("button", { name: "Add" }).click();
    await form(page).getByRole("alert").getByText("The sandbox cannot be reached.").waitFor();
    server.down = false;
    expect(await form(page).getByLabel("URL").inputValue()).toBe("ftp://localhost/hooks");
    await form(page).getByLabel("URL").fill("http://localhost:4000/hooks");
    await form(page).getByRole("button", { name: "Add" }).click();
    await page.getByRole("region", { name: "Endpoint added" }).waitFor();
  });

  it("adds one endpoint if its button is pressed twice", async () => {
    const server = await serve({ endpoints: [endpoint()] });
    const page = await open(server);
    await page.getByRole("button", { name: "Add endpoint" }).click();
    await form(page).getByLabel("URL").fill("http://localhost:4000/hooks");
    await form(page)
      .getByRole("button", { name: "Add" })
      .evaluate((button) => {
        (button as HTMLButtonElement).click();
        (button as HTMLButtonElement).click();
      });
    await page.getByRole("region", { name: "Endpoint added" }).waitFor();
    expect(server.pressed.length).toBe(1);
  });

  it("returns the focus when it is closed by its button", async () => {
    const page = await open(await serve({ endpoints: [endpoint()] }));
    await page.getByRole("button", { name: "Add endpoint" }).click();
    await form(page).getByRole("button", { name: "Cancel" }).click();
    await form(page).waitFor({ state: "detached" });
    const button = page.getByRole("button", { name: "Add endpoint" });
    await expect.poll(() => button.evaluate((each) => each === document.activeElement)).toBe(true);
  });

  it("is one click away if nothing is registered, also on a phone", async () => {
    const server = await serve();
    const page = await open(server, { viewport: { width: 360, height: 740 } });
    await page.getByRole("main").getByRole("button", { name: "Add endpoint" }).click();
    await expect.poll(() => focusedId(page)).toBe("endpoint-url");
    await page.keyboard.type("http://localhost:4000/hooks");
    await page.keyboard.press("Enter");
    const secret = page.getByRole("region", { name: "Endpoint added" });
    await secret.getByText(ADDED_SECRET).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await secret.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Deliveries" }).click();
    await page.getByRole("heading", { name: "Your endpoint is registered" }).waitFor();
  });
});
