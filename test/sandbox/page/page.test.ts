import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { describePage } from "./browser.ts";
import { attempt, DAWN, deliveries, delivery, endpoint, failures, SURROUNDINGS } from "./world.ts";

const list = (page: Page) => page.getByRole("listbox", { name: "Deliveries" });
const rows = (page: Page) => list(page).getByRole("option");
const opened = (page: Page) => page.getByRole("region", { name: /./ }).and(page.locator(".panel"));
const heading = (page: Page, name: string) => opened(page).getByRole("heading", { level: 2, name });
const live = (page: Page) => page.getByText("Live", { exact: true }).waitFor();

describePage("the inspector page", ({ open, serve }) => {
  it("shows the first steps with commands to copy while no endpoint is registered", async () => {
    const page = await open(await serve());
    const [first] = SURROUNDINGS.firstSteps;
    await page.getByRole("heading", { name: "No endpoint is registered yet" }).waitFor();
    await page.getByRole("button", { name: `Copy ${first?.title}` }).click();
    await page.getByText("Copied").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(first?.code);
  });

  it("offers a scenario when an endpoint is registered, and shows its deliveries", async () => {
    const server = await serve();
    const page = await open(server);
    await live(page);
    server.emit({ kind: "endpoint", now: DAWN, endpoint: endpoint() });
    await page.getByRole("heading", { name: "Your endpoint is registered" }).waitFor();
    await page.getByRole("main").getByRole("button", { name: "An order is accepted" }).click();
    await rows(page).nth(1).waitFor();
    expect(server.pressed).toEqual([{ method: "POST", path: "/_inspector/scenarios/order-filled", body: {} }]);
  });

  it("adds new deliveries on top and follows their states", async () => {
    const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("old")] });
    const page = await open(server);
    await live(page);
    server.put(delivery("new", { type: "order.accepted", state: "waiting", createdAt: DAWN + 1_000 }));
    await rows(page).first().getByText("Waiting").waitFor();
    expect(await rows(page).allInnerTexts()).toEqual([
      expect.stringContaining("order.accepted"),
      expect.stringContaining("order.filled"),
    ]);
    server.put(delivery("new", { type: "order.accepted", state: "sending", createdAt: DAWN + 1_000 }));
    await rows(page).first().getByText("Sending").waitFor();
    server.put(delivery("new", { type: "order.accepted", createdAt: DAWN + 1_000 }));
    await rows(page).first().getByText("200 in 12 ms").waitFor();
    expect(await rows(page).count()).toBe(2);
  });

  it("says that it is disconnected, and resumes without loss", async () => {
    const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("d0")] });
    const page = await open(server);
    await live(page);
    server.put(delivery("d1"));
    await expect.poll(() => rows(page).count()).toBe(2);
    server.down = true;
    server.cut();
    await page.getByText("The sandbox does not answer").waitFor();
    for (const id of ["d2", "d3", "d4"]) server.put(delivery(id));
    const asked = server.calls.length;
    server.down = false;
    await live(page);
    await expect.poll(() => rows(page).count()).toBe(5);
    expect(await page.getByText("The sandbox does not answer").count()).toBe(0);
    expect(server.calls.slice(asked).map(({ path }) => path)).not.toContain("/_inspector/state");
  });

  it("shows a delivery that was opened while disconnected after it reconnects", async () => {
    const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("d")] });
    const page = await open(server);
    await live(page);
    server.down = true;
    server.cut();
    await rows(page).first().click();
    await opened(page).getByText("cannot be reached").waitFor();
    server.down = false;
    await opened(page).getByRole("heading", { name: "Request" }).waitFor();
    expect(await opened(page).getByText("cannot be reached").count()).toBe(0);
  });

  it("fetches the whole state if the missed changes are forgotten", async () => {
    const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("d0")] });
    const page = await open(server);
    await live(page);
    server.down = true;
    server.cut();
    server.put(delivery("d1"));
    server.emit({ kind: "deliveries_dropped", now: DAWN, ids: ["d0"] });
    server.forgetChanges();
    server.down = false;
    await expect.poll(() => rows(page).evaluateAll((all) => all.map(({ id }) => id))).toEqual(["row-d1"]);
    await expect.poll(() => server.streams).toBe(1);
  });

  it("is filtered by state, endpoint and text together", async () => {
    const endpoints = [endpoint(), endpoint({ id: "wh_2", name: "Ledger" })];
    const all = deliveries(300, 3);
    const page = await open(await serve({ endpoints, deliveries: all }));
    const shown = () => rows(page).first().getAttribute("aria-setsize");
    const matching = (matches: (each: (typeof all)[number]) => boolean) => String(all.filter(matches).length);
    await page.getByRole("button", { name: /^Parked/ }).click();
    await expect.poll(shown).toBe(matching(({ state }) => state === "parked"));
    await page.getByRole("combobox", { name: "Endpoint" }).selectOption({ label: "Ledger" });
    await expect.poll(shown).toBe(matching(({ state, endpointId }) => state === "parked" && endpointId === "wh_2"));
    await page.getByRole("searchbox").fill("Order.Filled");
    const three = ({ state, endpointId, type }: (typeof all)[number]) =>
      state === "parked" && endpointId === "wh_2" && type === "order.filled";
    await expect.poll(shown).toBe(matching(three));
    await page.getByRole("searchbox").fill("nothing of this name");
    await page.getByRole("button", { name: "Show all" }).click();
    await expect.poll(shown).toBe("300");
  });

  it("keeps the scroll position while deliveries are added above", async () => {
    const server = await serve({ endpoints: [endpoint()], deliveries: deliveries(200) });
    const page = await open(server);
    await live(page);
    await list(page).evaluate((element) => element.scrollTo(0, 3_000));
    const topOf = () => page.locator("#row-dlv_00145").evaluate((row) => Math.round(row.getBoundingClientRect().top));
    const before = await topOf();
    server.put(delivery("late_1"), delivery("late_2"), delivery("late_3"));
    await expect.poll(() => rows(page).first().getAttribute("aria-setsize")).toBe("203");
    await expect.poll(topOf).toBe(before);
  });

  it("keeps the list reachable on a low screen", async () => {
    const server = await serve({ endpoints: [endpoint()], deliveries: deliveries(200) });
    const page = await open(server, { viewport: { width: 740, height: 360 } });
    await list(page).focus();
    await page.keyboard.press("End");
    const last = page.locator("#row-dlv_00000");
    await last.waitFor();
    const inView = () =>
      last.evaluate((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        const main = (document.querySelector("main") as Element).getBoundingClientRect();
        return top >= main.top && bottom <= main.bottom + 1;
      });
    await page.locator("main").evaluate((main) => main.scrollTo(0, main.scrollHeight));
    await expect.poll(inView).toBe(true);
  });

  it("opens a delivery by its address, with back and forward", async () => {
    const server = await serve({
      endpoints: [endpoint()],
      deliveries: [delivery("a/b"), delivery("c", { type: "order.accepted" })],
    });
    const page = await open(server, { hash: "#/deliveries/a%2Fb" });
    await heading(page, "order.filled").waitFor();
    await rows(page).filter({ hasText: "order.accepted" }).click();
    await heading(page, "order.accepted").waitFor();
    await page.goBack();
    await heading(page, "order.filled").waitFor();
    await page.goForward();
    await heading(page, "order.accepted").waitFor();
    await page.reload();
    await heading(page, "order.accepted").waitFor();
    await page.getByRole("button", { name: "Close the delivery" }).click();
    await opened(page).waitFor({ state: "detached" });
    expect(new URL(page.url()).hash).toBe("#/");
  });

  it("says that a forgotten delivery is no longer known", async () => {
    const page = await open(await serve({ endpoints: [endpoint()] }), { hash: "#/deliveries/gone" });
    await page.getByText("no longer remembers this delivery").waitFor();
  });

  it("shows request, answer, latency and signature of each attempt", async () => {
    const attempts = [...failures(DAWN, 1), attempt(DAWN + 60_000, { status: 204, latencyMs: 8.25, fault: "slow" })];
    const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("d", { attempts })] });
    const page = await open(server, { hash: "#/deliveries/d" });
    const chosen = opened(page).getByRole("button", { pressed: true });
    await opened(page).getByRole("heading", { name: "Answer to attempt 2" }).waitFor();
    expect(await chosen.first().innerText()).toMatch(/204 in 8\.3 ms\s*slow/);
    await opened(page)
      .getByRole("button", { name: /500 in 31 ms/ })
      .click();
    await opened(page).getByRole("heading", { name: "Answer to attempt 1" }).waitFor();
    await opened(page).getByText('"handler_failed"').waitFor();
    expect(await opened(page).getByRole("rowheader", { name: "x-bluum-signature" }).count()).toBe(1);
    expect(await opened(page).locator(".steps > li").count()).toBe(4);
    await opened(page).getByRole("button", { name: "Copy the program" }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("createHmac");
  });

  it("shows a body indented or raw, with its numbers unchanged", async () => {
    const raw = '{"event":"order.filled","data":{"price":1.10,"serial":12345678901234567890,"list":[]}}';
    const { detailOf } = await import("./world.ts");
    const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("d")] });
    server.reveal(detailOf(delivery("d"), raw));
    const page = await open(server, { hash: "#/deliveries/d" });
    const figure = opened(page).getByRole("figure").filter({ hasText: "Body of the request" });
    await figure.waitFor();
    expect(await figure.locator("pre").innerText()).toContain(
      '    "price": 1.10,\n    "serial": 12345678901234567890,\n    "list": []',
    );
    await figure.getByRole("button", { name: "Raw" }).click();
    expect(await figure.locator("pre").innerText()).toBe(raw);
    await figure.getByRole("button", { name: "Copy" }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(raw);
  });

  it("counts down to the next retry by the sandbox's clock", async () => {
    const retried = delivery("d", { state: "retrying", attempts: failures(DAWN, 3) });
    const server = await serve({ endpoints: [endpoint()], deliveries: [retried] });
    server.now = (retried.nextAttemptAt ?? 0) - 600_000;
    server.speed = 60;
    const page = await open(server, { hash: "#/deliveries/d" });
    const countdown = opened(page).locator(".standing .countdown");
    await expect.poll(() => countdown.first().innerText()).toMatch(/^in 9 min/);
    await expect.poll(() => countdown.first().innerText(), { timeout: 9_000 }).toMatch(/^in 8 min/);
    expect(await countdown.last().innerText()).toMatch(/^\d s on your clock$/);
    server.put(delivery("d", { attempts: [...retried.attempts, attempt(retried.nextAttemptAt ?? 0)] }));
    await opened(page).getByText("acknowledged the event").waitFor();
    await opened(page).getByRole("heading", { name: "Answer to attempt 4" }).waitFor();
  });

  it("distinguishes refused forgeries from accepted ones", async () => {
    const refused = { origin: "forged", state: "parked", attempts: [attempt(DAWN, { status: 401 })] } as const;
    const taken = { origin: "forged", type: "order.accepted" } as const;
    const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("r", refused), delivery("t", taken)] });
    const page = await open(server, { hash: "#/deliveries/r" });
    await opened(page).getByText("refused a forgery, as it should").waitFor();
    await opened(page).getByText("not signed like a genuine one").waitFor();
    await rows(page).filter({ hasText: "order.accepted" }).click();
    await opened(page).getByText("accepted a forgery").waitFor();
  });

  it("counts an accepted forgery as an alarm and a refused one as no failure", async () => {
    const refused = { origin: "forged", state: "parked", attempts: [attempt(DAWN, { status: 401 })] } as const;
    const all = [delivery("r", refused), delivery("t", { origin: "forged" }), delivery("d")];
    const page = await open(await serve({ endpoints: [endpoint()], deliveries: all }));
    const chip = (word: string) => page.getByRole("button", { name: new RegExp(`^${word} `) }).innerText();
    await rows(page).nth(2).waitFor();
    expect([await chip("Parked"), await chip("Delivered"), await chip("Refused"), await chip("Accepted")]).toEqual([
      expect.stringMatching(/0$/),
      expect.stringMatching(/1$/),
      expect.stringMatching(/1$/),
      expect.stringMatching(/1$/),
    ]);
    const label = await page.getByRole("img", { name: "3 deliveries from" }).getAttribute("aria-label");
    expect(label).toContain(": 1 delivered, 1 refused, failed or replayed, 1 accepted though forged.");
    await page.getByRole("button", { name: /^Accepted / }).click();
    await expect.poll(() => rows(page).evaluateAll((each) => each.map(({ id }) => id))).toEqual(["row-t"]);
  });

  it("shows the outcomes as a chart, a sentence and figures", async () => {
    const all = [...deliveries(50).filter(({ state }) => state === "delivered"), delivery("p", { state: "parked" })];
    const page = await open(await serve({ endpoints: [endpoint()], deliveries: all }));
    const delivered = all.length - 1;
    const drawing = page.getByRole("img", { name: `${all.length} deliveries from` });
    expect(await drawing.getAttribute("aria-label")).toContain(`: ${delivered} delivered, 1 parked.`);
    await page.getByRole("button", { name: "Figures" }).click();
    const cells = await page.getByRole("row").locator("td:first-of-type").allInnerTexts();
    expect(cells.reduce((sum, cell) => sum + Number(cell), 0)).toBe(delivered);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`has a legend that distinguishes outcomes by shape and colour, ${colorScheme}`, async () => {
      const refused = { origin: "forged", state: "parked", attempts: [attempt(DAWN, { status: 401 })] } as const;
      const all = [
        delivery("d"),
        delivery("u", { attempts: [attempt(DAWN, { unhandled: true })] }),
        delivery("c", refused),
        delivery("r", { state: "retrying" }),
        delivery("p", { state: "parked" }),
        delivery("f", { origin: "forged" }),
      ];
      const server = await serve({ endpoints: [endpoint()], deliveries: all });
      const page = await open(server, { colorScheme });
      const legend = page.getByRole("list", { name: "Legend" });
      const words = () => legend.getByRole("listitem").allInnerTexts();
      await expect.poll(words).toHaveLength(6);
      server.put(delivery("w", { state: "waiting" }));
      await expect
        .poll(words)
        .toEqual([
          "delivered",
          "acknowledged, unhandled",
          "refused, failed or replayed",
          "retrying",
          "parked",
          "accepted though forged",
          "waiting or sending",
        ]);
      const swatches = await legend.locator("rect").evaluateAll((all) =>
        all.map((rect) => {
          const { fill, stroke, strokeDasharray } = getComputedStyle(rect);
          const ground = getComputedStyle(document.querySelector("main") as Element).backgroundColor;
          const kindOf = (paint: string) => (paint.startsWith("url") ? "stripes" : paint === ground ? "none" : paint);
          const shape = [
            rect.getAttribute("width"),
            kindOf(fill) !== "none",
            kindOf(fill) === "stripes",
            stroke !== "none",
          ];
          const stripe = getComputedStyle(document.querySelector(".stripe") as Element).fill;
          const paints = [kindOf(fill) === "stripes" ? stripe : kindOf(fill), stroke].filter(
            (paint) => paint !== "none",
          );
          return { shape: [...shape, strokeDasharray].join(), paint: paints[0] ?? "", ground };
        }),
      );
      expect(new Set(swatches.map(({ shape }) => shape)).size, "shapes").toBe(7);
      expect(new Set(swatches.map(({ paint }) => paint)).size, "colours").toBeGreaterThanOrEqual(5);
      for (const { shape, paint, ground } of swatches) {
        expect(contrast(paint, ground), `${shape} ${paint}`).toBeGreaterThanOrEqual(3);
      }
      await page.getByRole("button", { name: "Figures" }).click();
      await legend.waitFor({ state: "detached" });
    });
  }
});

/** The contrast of two colours such as `rgb(1, 2, 3)`, as WCAG 2 defines it. */
function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [one, other].map(luminance).sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? [])
    .map((part) => Number(part) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
