import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { resourceOf } from "../../../src/sandbox/deliveries/resource.ts";
import { recordingEndpoint, sandboxed } from "../endpoints.ts";
import { describePage } from "./browser.ts";
import { attempt, DAWN, deliveries, delivery, endpoint } from "./world.ts";

const list = (page: Page) => page.getByRole("listbox", { name: "Deliveries" });
const rows = (page: Page) => list(page).getByRole("option");
const idsOf = (page: Page) => rows(page).evaluateAll((all) => all.map(({ id }) => id));

describe("the resource of an event", () => {
  const of = (data: unknown) => resourceOf(Buffer.from(JSON.stringify({ event: "a.b", data })));

  it("has its id from any of the documented fields", () => {
    expect(of({ id: "ord_1", deposit_id: "dep_1" })).toEqual({ resourceId: "ord_1" });
    for (const name of ["deposit_id", "withdrawal_id", "document_id", "workflow_id"]) {
      expect(of({ [name]: "x_1", investor_id: "inv_1" })).toEqual({ resourceId: "x_1" });
    }
  });

  it("has the amount of a transfer, and quantity and price of an order, unchanged", () => {
    const amounts = [
      { amount: "250.00", currency: "USD" },
      { amount: 250.5 },
      { quantity: "10", symbol: "AAPL", limit_price: "178.10", currency: "USD" },
      { qty: "10", filled_qty: "4", average_price: "178.50", symbol: "AAPL", currency: "USD" },
      { quantity: "10", symbol: "AAPL" },
      { notional: "500.00", currency: "USD", symbol: "AAPL" },
      { currency: "USD", symbol: "AAPL", average_price: "1.00" },
    ].map((data) => of(data).amount);
    expect(amounts).toEqual([
      "250.00 USD",
      "250.5",
      "10 AAPL × 178.10 USD",
      "4 AAPL × 178.50 USD",
      "10 AAPL",
      "500.00 USD",
      undefined,
    ]);
  });

  it("is empty for a body without one, not JSON or too large, and long values are cut", () => {
    for (const data of [undefined, null, [], "ord_1", {}, { id: "" }, { id: { a: 1 }, amount: [1], quantity: null }]) {
      expect(of(data)).toEqual({});
    }
    for (const text of ["", "{", "[]", "null", '"x"']) expect(resourceOf(Buffer.from(text))).toEqual({});
    expect(of({ id: "ord_1", filler: "x".repeat(70_000) })).toEqual({});
    expect(of({ id: "x".repeat(500) }).resourceId).toHaveLength(100);
  });
});

describePage("the rows of the list", ({ open, serve }) => {
  const deposit = { type: "transfer.deposit.completed", resourceId: "dep_77aa", amount: "731.25 USD" };
  const order = { resourceId: "ord_12bb", amount: "3 MSFT × 402.10 USD" };

  for (const width of [1280, 390, 360]) {
    it(`show the resource's id and amount, ${width} wide`, async () => {
      const all = [delivery("d", deposit), delivery("o", order)];
      const page = await open(await serve({ endpoints: [endpoint()], deliveries: all }), {
        viewport: { width, height: 800 },
      });
      for (const [id, texts] of Object.entries({ d: ["dep_77aa", "731.25 USD"], o: ["ord_12bb", order.amount] })) {
        for (const text of texts) {
          const shown = page.locator(`#row-${id}`).getByText(text, { exact: true });
          await shown.waitFor();
          const { cut, inside } = await shown.evaluate((part) => {
            const [box, row] = [part, part.closest(".row") as Element].map((each) => each.getBoundingClientRect());
            return { cut: part.scrollWidth > part.clientWidth, inside: box && row && box.bottom <= row.bottom };
          });
          expect({ cut, inside }).toEqual({ cut: false, inside: true });
        }
      }
    });
  }

  for (const [width, hash] of [
    [1280, ""],
    [1280, "#/deliveries/d"],
    [1024, ""],
    [1600, "#/deliveries/d"],
  ] as const) {
    it(`show the whole type, ${width} wide${hash && " beside an opened delivery"}`, async () => {
      const server = await serve({ endpoints: [endpoint()], deliveries: [delivery("d", deposit)] });
      const page = await open(server, { viewport: { width, height: 800 }, hash });
      const type = page.locator("#row-d .type");
      await type.waitFor();
      expect(await type.evaluate((name) => name.scrollWidth - name.clientWidth)).toBe(0);
    });
  }

  it("are found by the resource's id and by the amount", async () => {
    const all = [...deliveries(50), delivery("d", deposit), delivery("o", order)];
    const page = await open(await serve({ endpoints: [endpoint()], deliveries: all }));
    for (const [text, found] of [
      ["DEP_77AA", ["row-d"]],
      ["731.25", ["row-d"]],
      ["ord_12bb", ["row-o"]],
      ["3 msft × 402", ["row-o"]],
    ] as const) {
      await page.getByRole("searchbox").fill(text);
      await expect.poll(() => idsOf(page), { message: text }).toEqual(found);
    }
  });

  it("show an event without a matching handler as unhandled", async () => {
    const attempts = [attempt(DAWN, { unhandled: true })];
    const all = [delivery("ok"), delivery("u", { type: "kyc.done", attempts })];
    const page = await open(await serve({ endpoints: [endpoint()], deliveries: all }));
    const row = page.locator("#row-u");
    await row.getByText("Unhandled").waitFor();
    await row.getByText("acknowledged", { exact: true }).waitFor();
    const shape = (id: string) => page.locator(`#row-${id} > .glyph`).innerHTML();
    expect(await shape("u")).not.toBe(await shape("ok"));
    const chip = page.getByRole("button", { name: "Unhandled 1" });
    expect(await page.getByRole("button", { name: /^Delivered/ }).innerText()).toMatch(/1$/);
    await chip.click();
    await expect.poll(() => idsOf(page)).toEqual(["row-u"]);
    await row.click();
    const panel = page.locator(".panel");
    await panel.getByText("no handler matched it: nothing ran").waitFor();
    expect(await panel.locator(".attempt .tag").allInnerTexts()).toEqual(["unhandled"]);
  });

  it("show an unhandled forged event as an accepted forgery", async () => {
    const attempts = [attempt(DAWN, { unhandled: true })];
    const server = await serve({
      endpoints: [endpoint()],
      deliveries: [delivery("f", { origin: "forged", attempts })],
    });
    const page = await open(server);
    await page.locator("#row-f").getByText("Accepted").waitFor();
    expect(await page.getByRole("button", { name: /^Unhandled/ }).count()).toBe(0);
  });
});

describePage("the rows of a real sandbox", ({ open }) => {
  it("name resource, amount and unhandled events in their label", async () => {
    const app = await recordingEndpoint((_, response) => {
      const unhandled = app.arrived.length === 2;
      response.writeHead(200).end(JSON.stringify({ received: true, ...(unhandled ? { unhandled } : {}) }));
    });
    const sandbox = await sandboxed({ seed: 7, speed: 0 });
    await sandbox.endpoint({ url: app.url });
    await sandbox.send("order.filled", { data: { id: "ord_real" } });
    await sandbox.settled();
    await sandbox.send("transfer.deposit.completed", {
      data: { id: undefined, deposit_id: "dep_real", amount: "12.50" },
    });
    await sandbox.settled();
    const page = await open(sandbox);
    await rows(page).nth(1).waitFor();
    expect(await rows(page).allInnerTexts()).toEqual([
      expect.stringMatching(/dep_real\s+12\.50 USD\s[\s\S]*Unhandled\s+acknowledged$/),
      expect.stringMatching(/ord_real\s+10 AAPL × 178\.50 USD\s[\s\S]*Delivered\s+200 in/),
    ]);
    await page.getByRole("searchbox").fill("dep_real");
    await expect.poll(() => rows(page).count()).toBe(1);
  });

  it("call only acknowledged events unhandled", async () => {
    const answers = ['{"received":true,"unhandled":false}', '{"unhandled":"yes"}', "unhandled", '["unhandled"]'];
    const app = await recordingEndpoint((_, response) => response.writeHead(200).end(answers[app.arrived.length - 1]));
    const refusing = await recordingEndpoint((_, response) =>
      response.writeHead(401).end('{"received":true,"unhandled":true}'),
    );
    const sandbox = await sandboxed({ speed: 0 });
    await sandbox.endpoint({ url: app.url });
    const [first] = await sandbox.send("order.filled");
    await sandbox.settled();
    for (let copies = 1; copies < answers.length; copies++) {
      await sandbox.duplicate(first?.id ?? "");
      await sandbox.settled();
    }
    expect(app.arrived).toHaveLength(answers.length);
    await sandbox.endpoint({ url: refusing.url });
    await sandbox.send("order.canceled");
    await sandbox.settled();
    const attempts = sandbox.deliveries().flatMap((each) => each.attempts);
    expect(attempts.some(({ status }) => status === 401)).toBe(true);
    expect(attempts.filter((each) => "unhandled" in each)).toEqual([]);
  });
});
