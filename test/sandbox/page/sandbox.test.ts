import type { ServerResponse } from "node:http";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import type { SandboxOptions } from "../../../src/sandbox/index.ts";
import { recordingEndpoint, sandboxed, statuses } from "../endpoints.ts";
import { type Bench, describePage } from "./browser.ts";

/** A real sandbox with an app that listens to it, and the page open on it. */
async function opened(
  open: Bench["open"],
  {
    answer = statuses(200),
    ...options
  }: SandboxOptions & { readonly answer?: Parameters<typeof recordingEndpoint>[0] } = {},
) {
  const app = await recordingEndpoint(answer);
  const sandbox = await sandboxed({ seed: 7, ...options });
  const { id, secret } = await sandbox.endpoint({ url: app.url, name: "My app" });
  const page = await open(sandbox);
  const trouble: string[] = [];
  page.on("console", (message) => message.type() === "error" && trouble.push(message.text()));
  page.on("pageerror", ({ message }) => trouble.push(message));
  // Listens from the start, so that messages of the first load count too.
  await page.reload();
  await page.getByText("Live", { exact: true }).waitFor();
  return { app, sandbox, page, id, secret, trouble };
}

const rows = (page: Page) => page.getByRole("listbox", { name: "Deliveries" }).getByRole("option");
const panel = (page: Page) => page.locator(".panel");

/** Sends one event with the form. */
async function sendByForm(page: Page, type: string): Promise<void> {
  await page.getByLabel("One event").fill(type);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

describePage("the page of a real sandbox", ({ open }) => {
  it("sends a scenario by its button and shows each step", async () => {
    const { app, page, trouble } = await opened(open, { speed: 20 });
    await page
      .getByRole("main")
      .getByRole("button", { name: /^An order: accepted/ })
      .click();
    await expect.poll(() => rows(page).getByText("Delivered").count()).toBe(4);
    const types = app.arrived.map(({ body }) => JSON.parse(String(body)).event);
    expect(types.sort()).toEqual([
      "order.accepted",
      "order.filled",
      "order.partially_filled",
      "order.partially_filled",
    ]);
    expect(await page.getByRole("img", { name: "4 deliveries from" }).getAttribute("aria-label")).toMatch(
      /: 4 delivered\.$/,
    );
    expect(trouble).toEqual([]);
  });

  it("violates neither of its content policies and loads nothing else", async () => {
    const { page, sandbox, trouble } = await opened(open);
    const { headers } = await fetch(sandbox.url);
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    await page.getByRole("heading", { name: "Your endpoint is registered" }).waitFor();
    expect(await page.evaluate(() => getComputedStyle(document.body).margin), "the style is let through").toBe("0px");
    await sendByForm(page, "order.filled");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await panel(page).getByRole("heading", { name: "Request" }).waitFor();
    const loaded = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname),
    );
    expect(loaded.filter((path) => !path.startsWith("/_inspector/"))).toEqual([]);
    expect(trouble).toEqual([]);
  });

  it("shows a failed attempt, its retry and both answers", async () => {
    const { page, secret, trouble } = await opened(open, { speed: 60, answer: statuses(500, 200) });
    await sendByForm(page, "order.filled");
    await rows(page).getByText("Retrying").waitFor();
    await rows(page).first().click();
    await panel(page).getByText("acknowledged the event").waitFor();
    expect(await panel(page).locator(".attempt .answer").allInnerTexts()).toEqual([
      expect.stringMatching(/^500 in/),
      expect.stringMatching(/^200 in/),
    ]);
    await panel(page).getByRole("button", { name: "Copy the program" }).click();
    await page.getByText("Copied").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(secret);
    expect(trouble).toEqual([]);
  });

  it("replays parked deliveries by the button, which then disappears", async () => {
    let answered = 500;
    const answer = (_: unknown, response: ServerResponse) => response.writeHead(answered).end();
    const { page, sandbox, app, trouble } = await opened(open, { speed: 0, answer });
    await sandbox.send("order.filled");
    await sandbox.settled();
    const button = page.getByRole("button", { name: "Replay 1 parked" });
    await button.waitFor();
    expect(await rows(page).first().innerText()).toMatch(/Parked\s+after 6 attempts/);
    answered = 200;
    await button.click();
    await page.getByText("Parked deliveries: 1 delivery on the way.").waitFor();
    await sandbox.settled();
    await rows(page).getByText("Delivered").waitFor();
    await rows(page).getByText("Replayed").waitFor();
    await button.waitFor({ state: "detached" });
    expect(await sandbox.replayParked(), "nothing is left to replay").toEqual([]);
    expect(app.arrived).toHaveLength(7);
    expect(trouble).toEqual([]);
  });

  it("forges a delivery in every way and shows that the app refused it", async () => {
    const genuine = new Set<unknown>();
    const { page, app, trouble } = await opened(open, {
      // An app that accepts the signature of the first delivery for any body.
      answer: ({ headers, body }, response) => {
        const seen = `${headers["x-bluum-signature"]} ${body}`;
        if (genuine.size === 0) genuine.add(seen);
        response.writeHead(genuine.has(seen) ? 200 : 401).end();
      },
    });
    await sendByForm(page, "order.filled");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await panel(page).getByText("acknowledged the event").waitFor();
    const kinds = await page.getByRole("combobox", { name: "Kind of forgery" }).locator("option").allInnerTexts();
    for (const kind of kinds) {
      await page.getByRole("combobox", { name: "Kind of forgery" }).selectOption({ label: kind });
      await page.getByRole("button", { name: "Forge" }).click();
    }
    await expect.poll(() => rows(page).getByText("Refused").count()).toBe(kinds.length);
    expect(kinds.length).toBeGreaterThanOrEqual(4);
    expect(app.arrived).toHaveLength(1 + kinds.length);
    expect(await page.getByRole("button", { name: /^Replay \d/ }).count(), "a refusal is nothing to replay").toBe(0);
    await rows(page).filter({ hasText: "Refused" }).first().click();
    await panel(page).getByText("refused a forgery, as it should").waitFor();
    await panel(page).getByText("not signed like a genuine one").first().waitFor();
    expect(trouble).toEqual([]);
  });

  it("raises an alarm if the app accepts a forged delivery", async () => {
    const { page, sandbox } = await opened(open);
    const [sent] = await sandbox.send("order.filled");
    await rows(page).getByText("Delivered").waitFor();
    await sandbox.forge(sent?.id ?? "");
    await rows(page).getByText("Accepted").waitFor();
    await page.getByRole("button", { name: "Accepted 1" }).waitFor();
  });

  it("pauses the app's endpoint and activates it again", async () => {
    const { page, sandbox, app, id, trouble } = await opened(open);
    await page.getByRole("button", { name: "Pause My app" }).click();
    await page.getByText("My app is paused").waitFor();
    expect(sandbox.endpoints()).toMatchObject([{ id, status: "INACTIVE" }]);
    await sendByForm(page, "order.filled");
    await page.getByText("order.filled: nothing is sent, since no active endpoint subscribes to it.").waitFor();
    await page.getByRole("button", { name: "Activate My app" }).click();
    await page.getByText("My app is active again").waitFor();
    await sendByForm(page, "order.filled");
    await rows(page).getByText("Delivered").waitFor();
    expect(app.arrived).toHaveLength(1);
    expect(trouble).toEqual([]);
  });

  it("adds an endpoint by its form, which gets events and has the secret that the page showed", async () => {
    const { page, sandbox, trouble } = await opened(open);
    const other = await recordingEndpoint();
    await page.getByRole("button", { name: "Add endpoint" }).click();
    await page.getByRole("form").getByLabel("URL").fill("ftp://localhost/hooks");
    await page.getByRole("form").getByRole("button", { name: "Add" }).click();
    await page.getByRole("form").getByRole("alert").getByText("must be https").waitFor();
    await page.getByRole("form").getByLabel("URL").fill(other.url);
    await page.getByRole("form").getByLabel("Event types").fill("order.*");
    await page.keyboard.press("Enter");
    const added = page.getByRole("region", { name: "Endpoint added" });
    const secret = await added.locator("pre").innerText();
    const [, endpoint] = sandbox.endpoints();
    expect(endpoint).toMatchObject({ url: other.url, name: other.url, eventTypeNames: ["order.*"] });
    expect(sandbox.secrets(endpoint?.id ?? "")).toEqual([secret]);
    await sendByForm(page, "order.filled");
    await expect.poll(() => other.arrived.length).toBe(1);
    expect(trouble.filter((each) => !each.includes("400"))).toEqual([]);
  });

  it("counts as replayable what is parked at an active endpoint", async () => {
    const { page, sandbox, trouble } = await opened(open, { speed: 0, answer: statuses(500) });
    await sandbox.send("order.filled");
    await sandbox.settled();
    const button = page.getByRole("button", { name: "Replay 1 parked" });
    await button.waitFor();
    await page.getByRole("button", { name: "Pause My app" }).click();
    await button.waitFor({ state: "detached" });
    expect(await page.getByRole("button", { name: /^Parked/ }).innerText()).toMatch(/1$/);
    await page.reload();
    await page.getByRole("button", { name: /^Parked/ }).waitFor();
    expect(await button.count()).toBe(0);
    await page.getByRole("button", { name: "Activate My app" }).click();
    await button.waitFor();
    expect(trouble).toEqual([]);
  });
});
