import Database from "libsql";
import { describe, expect, it, vi } from "vitest";
import { sqliteInbox } from "../../src/inbox/sqlite.ts";
import { anEvent, bench, signed } from "../pipeline/receiving.ts";
import { freshFile } from "../stores/sqlite-engines.ts";
import { order, post, programsOf } from "./page-programs.ts";

const PAGE = "docs/guides/secret-rotation.md";
const OLD = "the old secret of this endpoint";
const NEW = "the new secret of this endpoint";

describe(`the program of ${PAGE}`, () => {
  const started = programsOf(PAGE);

  it("takes both secrets, shows by secretIndex which one signed, then refuses the old one", async () => {
    const before = await started("signed with secret", { BLUUM_WEBHOOK_SECRET: OLD });
    expect(await post(before.url, NEW, order("1"))).toBe("401 signature_mismatch");

    const during = await started("signed with secret", { BLUUM_WEBHOOK_SECRET: `${OLD},${NEW}` });
    const event = order("2");
    expect(await post(during.url, OLD, event)).toBe("200");
    await during.prints("signed with secret 0");
    expect(await post(during.url, NEW, event)).toBe("200 duplicate");
    const printed = await during.stop();
    expect(printed.match(/signed with secret \d/g)).toEqual(["signed with secret 0", "signed with secret 1"]);
    expect(printed.match(/filled at 2/g)).toHaveLength(1);

    const after = await started("signed with secret", { BLUUM_WEBHOOK_SECRET: NEW });
    expect(await post(after.url, OLD, order("3"))).toBe("401 signature_mismatch");
    expect(await post(after.url, NEW, order("4"))).toBe("200");
  });
});

describe("an event that waits in an inbox", () => {
  it("runs, although the secret that signed it was withdrawn", async () => {
    const { file, remove } = freshFile();
    const database = new Database(file);
    database.exec("PRAGMA synchronous = FULL");
    const inbox = sqliteInbox(database);
    const before = bench({ namespace: "orders", inbox, secret: OLD });
    const after = bench({ namespace: "orders", inbox, secret: NEW });
    const ran: string[] = [];
    after.receiver.on("order.filled", (event) => void ran.push(event.id));
    const event = anEvent();
    expect(await before.receiver.handle(signed(event, { secret: OLD }))).toMatchObject({ status: 200 });
    after.receiver.work({ pollMs: 20 });
    await vi.waitFor(() => expect(ran).toEqual([event.event_id]), 10_000);
    await after.receiver.close();
    database.close();
    remove();
  });
});
