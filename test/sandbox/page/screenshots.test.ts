import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import type { DeliverySummary } from "../../../src/sandbox/page-api.ts";
import { exhaustive, inFull } from "../../exhaustive.ts";
import { describePage, screenshotPath } from "./browser.ts";
import type { PageServer } from "./server.ts";
import { attempt, DAWN, deliveries, delivery, endpoint, failures } from "./world.ts";

const ENDPOINTS = [
  endpoint(),
  endpoint({
    id: "wh_2",
    name: "Ledger",
    url: "http://127.0.0.1:8787/hooks",
    eventTypeNames: ["transfer.*", "document.*", "kyc.verification.approved"],
    recent: [200, 200, 200, 500, 500, null, 500, 500],
    delivered: 41,
    failed: 17,
    parked: 3,
    medianLatencyMs: 48,
  }),
];
const LONG_URL = `https://hooks.example.com/tenants/01j9x8m2k7qpzwv3t5r6y8n0ab/${"bluum-webhooks-".repeat(20)}`.slice(
  0,
  200,
);
const END = DAWN + 400_000;
/** Some minutes before the fourth attempt of the delivery that is retried. */
const NOW = END + 1_910_000;

/** The deliveries of a morning, with one of each kind at the end. */
const BUSY: readonly DeliverySummary[] = [
  ...deliveries(140, 7).filter(({ state }) => state !== "retrying"),
  delivery("dlv_parked", { type: "transfer.deposit.completed", endpointId: "wh_2", state: "parked", createdAt: END }),
  delivery("dlv_forged", {
    type: "order.filled",
    origin: "forged",
    state: "parked",
    createdAt: END + 1_000,
    attempts: [attempt(END + 1_000, { status: 401, latencyMs: 3.1, fault: "wrong_secret" })],
  }),
  delivery("dlv_fooled", { type: "order.rejected", origin: "forged", createdAt: END + 1_500 }),
  delivery("dlv_replayed", { type: "order.accepted", state: "parked", replayed: true, createdAt: END + 1_600 }),
  delivery("dlv_failed", {
    type: "order.accepted",
    origin: "duplicate",
    state: "parked",
    createdAt: END + 1_700,
    attempts: [attempt(END + 1_700, { status: 503 })],
  }),
  delivery("dlv_retrying", {
    type: "order.partially_filled",
    state: "retrying",
    createdAt: END + 2_000,
    attempts: failures(END + 2_000, 3, { status: null, latencyMs: null, error: "timed out" }),
  }),
  delivery("dlv_recovered", {
    type: "order.filled",
    createdAt: END + 3_000,
    attempts: [...failures(END + 3_000, 2), attempt(END + 363_000, { latencyMs: 9.7, status: 204 })],
  }),
  delivery("dlv_unhandled", {
    type: "transfer.deposit.initiated",
    createdAt: END + 3_500,
    attempts: [attempt(END + 3_500, { unhandled: true, latencyMs: 2.2 })],
  }),
  delivery("dlv_copy", { type: "order.filled", origin: "duplicate", createdAt: END + 4_000 }),
  delivery("dlv_waiting", {
    type: "kyc.verification.approved",
    endpointId: "wh_2",
    state: "waiting",
    createdAt: END + 5_000,
  }),
  delivery("dlv_sending", { type: "document.approved", endpointId: "wh_2", state: "sending", createdAt: END + 5_000 }),
];

/** The pages to capture: the address of each, and what to do first. */
const SCENES: readonly {
  readonly name: string;
  readonly world: keyof typeof WORLDS;
  readonly hash?: string;
  readonly before?: (page: Page, server: PageServer) => Promise<unknown>;
}[] = [
  { name: "empty", world: "empty" },
  { name: "ready", world: "ready" },
  { name: "list", world: "busy" },
  { name: "delivered", world: "busy", hash: "#/deliveries/dlv_recovered" },
  { name: "retrying", world: "busy", hash: "#/deliveries/dlv_retrying" },
  { name: "parked", world: "busy", hash: "#/deliveries/dlv_parked" },
  { name: "forged", world: "busy", hash: "#/deliveries/dlv_forged" },
  { name: "fooled", world: "busy", hash: "#/deliveries/dlv_fooled" },
  { name: "paused", world: "paused", before: showEndpoints },
  { name: "unhandled", world: "busy", hash: "#/deliveries/dlv_unhandled" },
  { name: "long-url", world: "longUrl", before: showEndpoints },
  { name: "add-endpoint", world: "busy", before: openForm },
  { name: "endpoint-added", world: "busy", before: addEndpoint },
  { name: "notices", world: "busy", before: press },
  { name: "disconnected", world: "busy", before: disconnect },
  { name: "help", world: "busy", before: (page) => page.keyboard.press("?") },
  {
    name: "signature",
    world: "busy",
    hash: "#/deliveries/dlv_recovered",
    before: (page) => page.getByRole("heading", { name: /^Signature/ }).evaluate((heading) => heading.scrollIntoView()),
  },
];

const WORLDS = {
  empty: {},
  ready: { endpoints: [endpoint({ recent: [], delivered: 0, failed: 0, parked: 0, medianLatencyMs: null })] },
  busy: { endpoints: ENDPOINTS, deliveries: BUSY },
  longUrl: {
    endpoints: [endpoint({ name: LONG_URL, url: LONG_URL, eventTypeNames: ["*"] }), ...ENDPOINTS.slice(1)],
    deliveries: BUSY,
  },
  paused: { endpoints: [endpoint({ status: "INACTIVE" as const }), ...ENDPOINTS.slice(1)], deliveries: BUSY },
};

const WIDTHS = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

async function showEndpoints(page: Page): Promise<void> {
  const tab = page.getByRole("button", { name: "Send and endpoints" });
  if (await tab.isVisible()) await tab.click();
}

async function openForm(page: Page): Promise<void> {
  await showEndpoints(page);
  await page.getByRole("button", { name: "Add endpoint" }).click();
  await page.getByRole("form").getByRole("button", { name: "Add" }).scrollIntoViewIfNeeded();
}

async function addEndpoint(page: Page): Promise<void> {
  await openForm(page);
  await page.getByLabel("URL").fill("http://localhost:3000/webhooks/bluum");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Done" }).scrollIntoViewIfNeeded();
}

async function press(page: Page, server: PageServer): Promise<void> {
  const replay = page.getByRole("button", { name: /^Replay \d+ parked/ });
  await replay.click();
  await page.getByText("on the way").waitFor();
  server.refusal = "The sandbox is closing.";
  await page.getByRole("combobox", { name: "Endpoint" }).focus();
  await showEndpoints(page);
  await page.getByRole("button", { name: "Pause Ledger" }).click();
  await page.getByRole("alert").getByText("is closing").waitFor();
}

async function disconnect(page: Page, server: PageServer): Promise<void> {
  server.down = true;
  server.cut();
  await page.getByText("The sandbox does not answer").waitFor();
  await page.getByRole("button", { name: /^Replay \d+ parked/ }).click();
  await page.getByRole("alert").getByText("cannot be reached").waitFor();
}

describePage("pictures of the page", ({ open, serve }) => {
  for (const { name, world, hash, before } of SCENES) {
    const daily = name === "list";
    // The colours move nothing: one scene shows them.
    for (const colorScheme of daily ? (["light", "dark"] as const) : (["light"] as const)) {
      for (const viewport of WIDTHS) {
        it.runIf(daily || exhaustive)(
          `${name}, ${colorScheme}, ${viewport.width} wide`,
          daily ? {} : inFull,
          async () => {
            const server = await serve(WORLDS[world]);
            server.now = NOW;
            server.speed = 60;
            const page = await open(server, { colorScheme, viewport, ...(hash === undefined ? {} : { hash }) });
            await page.getByText("Live", { exact: true }).waitFor();
            if (hash !== undefined) await page.getByRole("heading", { name: "Request" }).waitFor();
            await before?.(page, server);
            const path = screenshotPath(`${name}-${colorScheme}-${viewport.width}`);
            await page.screenshot({ path, animations: "disabled" });
            expect(readFileSync(path).length).toBeGreaterThan(5_000);
            const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            expect(overflow, "nothing sticks out at the side").toBeLessThanOrEqual(0);
          },
        );
      }
    }
  }
});
