import { expect, it } from "vitest";
import { describePage } from "./browser.ts";
import { attempt, DAWN, delivery, endpoint } from "./world.ts";

const AT_D = { hash: "#/deliveries/d" };
const world = { endpoints: [endpoint()], deliveries: [delivery("d"), delivery("p", { state: "parked" })] };

describePage("the page's buttons", ({ open, serve }) => {
  it("duplicate, replay and forge the opened delivery", async () => {
    const server = await serve(world);
    const page = await open(server, AT_D);
    await page.getByRole("button", { name: "Duplicate" }).click();
    await page.getByRole("status").getByText("Duplicate: 1 delivery on the way.").waitFor();
    await page.getByRole("button", { name: "Replay", exact: true }).click();
    await page.getByText("Replay: 1 delivery").waitFor();
    await page.getByRole("combobox", { name: "Kind of forgery" }).selectOption({ label: "No signature at all" });
    await page.getByRole("button", { name: "Forge" }).click();
    await page.getByText("Forgery: 1 delivery").waitFor();
    expect(server.pressed).toEqual([
      { method: "POST", path: "/_inspector/deliveries/d/duplicate", body: {} },
      { method: "POST", path: "/_inspector/deliveries/d/replay", body: {} },
      { method: "POST", path: "/_inspector/deliveries/d/forge", body: { kind: "no_signature" } },
    ]);
  });

  it("forge by the first kind if none was chosen", async () => {
    const server = await serve(world);
    const page = await open(server, AT_D);
    await page.getByRole("button", { name: "Forge" }).click();
    await page.getByText("Forgery: 1 delivery").waitFor();
    expect(server.pressed).toMatchObject([{ body: { kind: "wrong_secret" } }]);
  });

  it("replay all parked deliveries", async () => {
    const server = await serve(world);
    const page = await open(server);
    const button = page.getByRole("button", { name: "Replay 1 parked" });
    await button.click();
    await page.getByText("Parked deliveries: 1 delivery on the way.").waitFor();
    await button.waitFor({ state: "detached" });
    await page.locator("#row-p").getByText("Replayed").waitFor();
    expect(server.pressed).toEqual([{ method: "POST", path: "/_inspector/replay-parked", body: {} }]);
  });

  it("say that there is nothing to replay if another page was faster", async () => {
    const server = await serve(world);
    const page = await open(server);
    const button = page.getByRole("button", { name: "Replay 1 parked" });
    await button.waitFor();
    server.supersedeUnseen("p");
    await button.click();
    await page.getByText("Parked deliveries: nothing to replay.").waitFor();
  });

  it("count no parked delivery of a paused endpoint", async () => {
    const paused = endpoint({ id: "wh_2", name: "Ledger", status: "INACTIVE" });
    const parked = ["p", "q"].map((id) => delivery(id, { state: "parked" }));
    const server = await serve({
      endpoints: [endpoint(), paused],
      deliveries: [...parked, delivery("r", { state: "parked", endpointId: "wh_2" })],
    });
    const page = await open(server);
    const shown = () => page.getByRole("button", { name: /^Replay \d/ }).allInnerTexts();
    await expect.poll(shown).toEqual(["Replay 2 parked"]);
    expect(await page.getByRole("button", { name: /^Parked/ }).innerText()).toMatch(/3$/);
    await page.getByRole("button", { name: "Activate Ledger" }).click();
    await expect.poll(shown).toEqual(["Replay 3 parked"]);
    await page.getByRole("button", { name: "Pause Orders service" }).click();
    await expect.poll(shown).toEqual(["Replay 1 parked"]);
    await page.getByRole("button", { name: "Pause Ledger" }).click();
    await expect.poll(shown).toEqual([]);
    expect(await page.getByRole("button", { name: /^Parked/ }).innerText()).toMatch(/3$/);
  });

  it("offer no replay of refused forgeries and replayed deliveries", async () => {
    const refused = { state: "parked", attempts: [attempt(DAWN, { status: 401 })] } as const;
    const server = await serve({
      endpoints: [endpoint()],
      deliveries: [
        delivery("forged", { ...refused, origin: "forged" }),
        delivery("copy", { ...refused, origin: "duplicate" }),
        delivery("again", { state: "parked", replayed: true }),
      ],
    });
    const page = await open(server);
    await page.locator("#row-copy").getByText("Failed").waitFor();
    expect(await page.getByRole("button", { name: /^Replay \d/ }).count()).toBe(0);
    expect(await page.getByRole("button", { name: /^Parked/ }).innerText()).toMatch(/0$/);
  });

  it("send any event with custom data and link to its delivery", async () => {
    const server = await serve(world);
    const page = await open(server);
    await page.getByLabel("One event").fill("order.canceled");
    await page.getByText("Custom data").click();
    await page.getByLabel("Data as JSON").fill('{ "symbol": "MSFT" }');
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByRole("heading", { name: "order.canceled" }).waitFor();
    const body = { event: "order.canceled", data: { symbol: "MSFT" } };
    expect(server.pressed).toEqual([{ method: "POST", path: "/_inspector/events", body }]);
  });

  it("send nothing if the data is not JSON, and say so", async () => {
    const server = await serve(world);
    const page = await open(server);
    await page.getByLabel("One event").fill("order.canceled");
    await page.getByText("Custom data").click();
    await page.getByLabel("Data as JSON").fill("{ symbol }");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByRole("alert").getByText("must be JSON").waitFor();
    expect(server.pressed).toEqual([]);
  });

  it("pause an endpoint and activate it again", async () => {
    const server = await serve(world);
    const page = await open(server);
    await page.getByRole("button", { name: "Pause Orders service" }).click();
    await page.getByText("Orders service is paused").waitFor();
    await page.getByRole("button", { name: "Activate Orders service" }).click();
    await page.getByText("Orders service is active again").waitFor();
    expect(server.pressed.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["PATCH", "/_inspector/endpoints/wh_1", { status: "INACTIVE" }],
      ["PATCH", "/_inspector/endpoints/wh_1", { status: "ACTIVE" }],
    ]);
  });

  it("show the sandbox's error message until it is dismissed", async () => {
    const server = await serve(world);
    server.refusal = "The endpoint was deleted.";
    const page = await open(server, AT_D);
    await page.getByRole("button", { name: "Duplicate" }).click();
    const alert = page.getByRole("alert");
    await alert.getByText("Duplicate: The endpoint was deleted.").waitFor();
    await alert.getByRole("button", { name: "Dismiss" }).click();
    await expect.poll(() => alert.innerText()).toBe("");
  });

  it("say that the sandbox cannot be reached", async () => {
    const server = await serve(world);
    const page = await open(server, AT_D);
    await page.getByRole("heading", { name: "Request" }).waitFor();
    server.down = true;
    await page.getByRole("button", { name: "Replay", exact: true }).click();
    await page.getByRole("alert").getByText("Replay: The sandbox cannot be reached.").waitFor();
  });
});
