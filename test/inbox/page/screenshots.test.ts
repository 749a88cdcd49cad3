import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import type { Inbox } from "../../../src/inbox/inbox.ts";
import { exhaustive, inFull } from "../../exhaustive.ts";
import { describeInBrowser, screenshotPath } from "../../page/browser.ts";
import { messageOf, TERMS } from "../sqlite-support.ts";
import { type Failing, failing, inspected, park } from "./inspected.ts";

/** An operator's morning: some parked events of several types, and others that wait. */
const PARKED: readonly Failing[] = [
  ...failing(["ord_01J9X8M2K7QPZWV3T5R6Y8N0AB", "ord_01J9X8M2K7QPZWV3T5R6Y8N0AC"], "order.filled", {
    error: "connect ECONNREFUSED 10.0.4.17:5432",
  }),
  ...failing(["dep_8f1c22ab90de4417"], "transfer.deposit.completed", {
    error: 'duplicate key value violates unique constraint "bookings_pkey"\nDetail: Key (deposit_id) already exists.',
    orderingKey: "acc_7001",
  }),
  ...failing(["wf_55d0a1"], "kyc.verification.approved", { error: "the customer has no account yet" }),
  ...failing(["doc_000914", "doc_000915", "doc_000931"], "document.rejected", {
    error: `the mail service answered 503 for ${"a-very-long-recipient-address.".repeat(12)}`,
  }),
  ...failing(["ord_01J9X9"], "order.partially_filled", { error: "request timed out after 30000 ms" }),
];

const OPENED = `#/events/${encodeURIComponent(PARKED[2]?.key ?? "")}`;

const SCENES: readonly {
  readonly name: string;
  readonly parked: readonly Failing[];
  readonly hash?: string;
  readonly before?: (page: Page) => Promise<unknown>;
}[] = [
  { name: "inbox-list", parked: PARKED },
  { name: "inbox-empty", parked: [] },
  { name: "inbox-event", parked: PARKED, hash: OPENED },
  {
    name: "inbox-confirm",
    parked: PARKED,
    before: (page) => page.getByRole("button", { name: "Discard all" }).click(),
  },
  { name: "inbox-notice", parked: PARKED, before: redriveTwo },
  { name: "inbox-help", parked: PARKED, before: (page) => page.keyboard.press("?") },
];

const WIDTHS = [
  { width: 1280, height: 800 },
  { width: 360, height: 740 },
];

async function redriveTwo(page: Page): Promise<void> {
  for (const name of ["doc_000914", "doc_000915"]) await page.getByLabel(`Select document.rejected, ${name}`).check();
  await page.getByRole("button", { name: "Redrive 2" }).click();
  await page.getByText("2 events wait again.").waitFor();
}

async function addWaiting(inbox: Inbox): Promise<void> {
  for (const id of ["a", "b", "c"]) await inbox.add(messageOf(id), TERMS);
}

describeInBrowser("pictures of the inbox's page", (open) => {
  const scenes = exhaustive ? SCENES : SCENES.slice(0, 1);
  for (const { name, parked, hash, before } of scenes) {
    // The colours move nothing: one scene shows them.
    for (const colorScheme of name === SCENES[0]?.name ? (["light", "dark"] as const) : (["light"] as const)) {
      for (const viewport of WIDTHS) {
        it(`${name}, ${colorScheme}, ${viewport.width} wide`, inFull, async () => {
          const server = await inspected();
          await park(server.inbox, parked);
          if (parked.length > 0) await addWaiting(server.inbox);
          const page = await open(server, { colorScheme, viewport, ...(hash === undefined ? {} : { hash }) });
          await page.getByText("Live", { exact: true }).waitFor();
          if (hash !== undefined) await page.getByRole("heading", { name: "Payload" }).waitFor();
          await before?.(page);
          const path = screenshotPath(`${name}-${colorScheme}-${viewport.width}`);
          await page.screenshot({ path, animations: "disabled" });
          expect(readFileSync(path).length).toBeGreaterThan(5_000);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          expect(overflow, "nothing sticks out at the side").toBeLessThanOrEqual(0);
        });
      }
    }
  }
});
