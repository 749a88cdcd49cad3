import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { describePage } from "./browser.ts";
import { delivery, detailOf, endpoint, view } from "./world.ts";

const MARKUP = `<img src=x onerror="globalThis.owned=1"><script>globalThis.owned=1</script>`;
const NESTED = "[".repeat(5_000) + "]".repeat(5_000);

/** Whether any markup or script of a delivery took effect. */
async function came(page: Page): Promise<unknown> {
  return page.evaluate(() => ({
    owned: (globalThis as { owned?: number }).owned,
    images: document.querySelectorAll("img, iframe, object, embed").length,
    scripts: document.scripts.length,
    links: document.querySelectorAll("a").length,
  }));
}

const DEAD = { images: 0, scripts: 1, links: 0 };

describePage("what comes over the wire", ({ open, serve }) => {
  it("is shown as text, never as markup: names, urls, headers, bodies, errors", async () => {
    const server = await serve({
      endpoints: [endpoint({ name: MARKUP, url: `javascript:alert(1)//${MARKUP}`, eventTypeNames: [MARKUP] })],
      deliveries: [delivery("d", { type: MARKUP, eventId: MARKUP })],
    });
    const detail = detailOf(delivery("d", { type: MARKUP, eventId: MARKUP }), MARKUP);
    const [only] = detail.attempts;
    const headers = [[MARKUP, MARKUP]] as const;
    const hostile = { ...only, request: { headers, body: view(MARKUP) }, answer: { headers, body: view(MARKUP) } };
    server.reveal({ ...detail, attempts: [{ ...hostile, fault: MARKUP }] } as typeof detail);
    server.refusal = MARKUP;
    const page = await open(server, { hash: "#/deliveries/d" });
    await page.getByRole("heading", { level: 2, name: MARKUP }).waitFor();
    await page.getByRole("button", { name: "Duplicate" }).click();
    await page.getByRole("alert").getByText(MARKUP).waitFor();
    expect(await page.locator("#row-d .type").innerText()).toBe(MARKUP);
    expect(await page.getByRole("rowheader", { name: MARKUP }).count()).toBeGreaterThan(0);
    expect(await came(page)).toEqual(DEAD);
  });

  it("cannot disguise itself with characters that reverse or hide text", async () => {
    const server = await serve({
      endpoints: [endpoint({ name: "a\u202eb\u0000c" })],
      deliveries: [delivery("d", { type: "order\u200b.filled\u2066" })],
    });
    const page = await open(server);
    await page.getByRole("heading", { name: "a⟨U+202E⟩b⟨U+0000⟩c" }).waitFor();
    expect(await page.locator("#row-d .type").innerText()).toBe("order⟨U+200B⟩.filled⟨U+2066⟩");
  });

  it("is visible in the steps of a signature too, and copied unchanged", async () => {
    const code = "x-signature: ab\u200bcd\u202e";
    const detail = detailOf(delivery("d"));
    const attempts = detail.attempts.map((each) => ({
      ...each,
      signature: { ...each.signature, program: code, steps: [{ title: "Where it stands", text: "", code }] },
    }));
    const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("d")] });
    server.reveal({ ...detail, attempts });
    const page = await open(server, { hash: "#/deliveries/d" });
    const shown = page.locator(".panel .code pre");
    await expect.poll(() => shown.allInnerTexts()).toEqual(Array(2).fill("x-signature: ab⟨U+200B⟩cd⟨U+202E⟩"));
    await page.getByRole("button", { name: "Copy Where it stands" }).click();
    await page.getByText("Copied").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);
  });

  it("does not break the page by length or depth", async () => {
    const long = "x".repeat(100_000);
    const server = await serve({
      endpoints: [endpoint({ name: long, url: long })],
      deliveries: [delivery("long", { type: long }), delivery("deep")],
    });
    server.reveal(detailOf(delivery("deep"), NESTED));
    const page = await open(server, { hash: "#/deliveries/deep", viewport: { width: 360, height: 740 } });
    const figure = page.getByRole("figure").filter({ hasText: "Body of the request" });
    expect(await figure.locator("pre").innerText()).toBe(NESTED);
    await page.getByRole("button", { name: "Close the delivery" }).click();
    await page.locator("#row-long").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });

  it("is shown even if times, amounts and ids make no sense", async () => {
    const odd = [8.64e15, -8.64e15, 0.5, 0];
    const server = await serve({
      endpoints: [endpoint({ medianLatencyMs: -1, recent: [0, 99, 1_000, null] })],
      deliveries: odd.map((createdAt, at) => delivery(`__proto__${at}"'<>`, { createdAt, state: "retrying" })),
    });
    const page = await open(server);
    await expect.poll(() => page.locator("#deliveries [role=option]").count()).toBe(odd.length);
    await page.locator("#deliveries [role=option]").first().click();
    await page.getByRole("heading", { name: "Request" }).waitFor();
  });

  it("could not run as markup, since the page's policy forbids foreign scripts", async () => {
    const page = await open(await serve());
    await page.getByRole("heading", { name: "No endpoint is registered yet" }).waitFor();
    const outcome = await page.evaluate(() => {
      const script = document.createElement("script");
      try {
        script.text = "globalThis.owned = 1";
        document.body.append(script);
      } catch {}
      return (globalThis as { owned?: number }).owned ?? "nothing ran";
    });
    expect(outcome).toBe("nothing ran");
    const loaded = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname),
    );
    expect(loaded.filter((path) => !path.startsWith("/_inspector/"))).toEqual([]);
  });
});
