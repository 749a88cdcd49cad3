import type { ServerResponse } from "node:http";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import type { SandboxOptions } from "../../../src/sandbox/index.ts";
import { noting, sandboxed, statuses } from "../endpoints.ts";
import { type Bench, describePage } from "./browser.ts";

/** A real sandbox with an app that listens to it, and the page open on it. */
async function opened(
  open: Bench["open"],
  { answer = statuses(200), ...options }: SandboxOptions & { readonly answer?: Parameters<typeof noting>[0] } = {},
) {
  const app = await noting(answer);
  const sandbox = await sandboxed({ seed: 7, ...options });
  const { id, secret } = await sandbox.endpoint({ url: app.url, name: "My app" });
  const page = await open(sandbox);
  const trouble: string[] = [];
  page.on("console", (message) => message.type() === "error" && trouble.push(message.text()));
  page.on("pageerror", ({ message }) => trouble.push(message));
  // From the start, so that what the first load says is heard too.
  await page.reload();
  await page.getByText("Live", { exact: true }).waitFor();
  return { app, sandbox, page, id, secret, trouble };
}

const rows = (page: Page) => page.getByRole("listbox", { name: "Deliveries" }).getByRole("option");
const panel = (page: Page) => page.locator(".delivery");

/** Sends one event by the form. */
async function sendByForm(page: Page, type: string): Promise<void> {
  await page.getByLabel("One event").fill(type);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

describePage("the page of a real sandbox", ({ open }) => {
  it("tells a story by its button, and shows each step as it is delivered", async () => {
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

  it("is shown under both its policies without a complaint, and loads nothing else", async () => {
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

  it("follows a delivery from its failure to its retry, and shows what was answered to each", async () => {
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

  it("replays what is parked by the button, which goes away with it", async () => {
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

  it("forges a delivery in every way that it offers, and calls it refused where the app refuses it", async () => {
    const genuine = new Set<unknown>();
    const { page, app, trouble } = await opened(open, {
      // An app that lets through what was signed like the first delivery.
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

  it("raises an alarm where the app takes a forgery for genuine", async () => {
    const { page, sandbox } = await opened(open);
    const [sent] = await sandbox.send("order.filled");
    await rows(page).getByText("Delivered").waitFor();
    await sandbox.forge(sent?.id ?? "");
    await rows(page).getByText("Accepted").waitFor();
    await page.getByRole("button", { name: "Accepted 1" }).waitFor();
  });

  it("pauses the app's endpoint, which then gets nothing, and lets it go on", async () => {
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
});
