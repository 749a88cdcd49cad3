import { describe, expect, it } from "vitest";
import { createReceiver, memoryStore, type ReceiverOptions, type SignatureScheme } from "../../src/index.ts";
import { hmacSignature } from "../../src/schemes/hmac.ts";
import { standardWebhooksSignature } from "../../src/schemes/standard-webhooks.ts";
import { timestampedSignature } from "../../src/schemes/timestamped.ts";
import { claimBehind } from "../../src/stores/transaction.ts";
import { accepted, anEvent, bench, SECRET, signed, verdict } from "./receiving.ts";

const NOW = Date.parse("2026-01-20T00:00:00Z");
const DAY = 86_400_000;
const iso = (ms: number) => new Date(ms).toISOString();

/** A receiver and its store on one clock, with a processed delivery that can be replayed at another time. */
async function captured(delivery: ReturnType<typeof signed>, options: Partial<ReceiverOptions> = {}) {
  let now = NOW;
  const store = memoryStore({ now: () => now });
  const { receiver } = bench({ now: () => now, store, ...options });
  receiver.on("*", () => {});
  expect(await receiver.handle(delivery)).toMatchObject({ status: 200 });
  return {
    async replayedAt(ms: number): Promise<string> {
      now = ms;
      return verdict(await receiver.receive(delivery));
    },
  };
}

describe("a captured delivery whose event is ahead of the clock", () => {
  it.each([0, 1, 30, 364, 365])("stays a duplicate while its age admits it, %i days ahead", async (days) => {
    const happens = NOW + days * DAY;
    const { replayedAt } = await captured(signed({ ...anEvent(), timestamp: iso(happens) }));
    for (const later of [1, 7 * DAY - 1, happens - NOW + DAY, happens - NOW + 7 * DAY - 1])
      expect([later, await replayedAt(NOW + later)]).toEqual([later, "duplicate"]);
    expect(await replayedAt(happens + 7 * DAY + 1)).toBe("event_too_old");
  });

  it("stays a duplicate for the retention and at most a year more", async () => {
    const { replayedAt } = await captured(signed({ ...anEvent(), timestamp: iso(NOW + 800 * DAY) }));
    expect(await replayedAt(NOW + 372 * DAY - 1)).toBe("duplicate");
    expect(await replayedAt(NOW + 372 * DAY + 1)).toBe("accepted");
  });

  it("is remembered as long for each handler and by completeIn", async () => {
    const asked: number[] = [];
    const sound = memoryStore();
    const store: typeof sound = {
      ...sound,
      complete: (key, by) => {
        asked.push(by.retentionMs);
        return sound.complete(key, by);
      },
    };
    const { receiver } = bench({ now: () => NOW, store });
    const inTransaction: number[] = [];
    for (const name of ["one", "two"])
      receiver.on("*", (_, context) => void inTransaction.push(claimBehind(context, store).retentionMs), { name });
    await receiver.handle(signed({ ...anEvent(), timestamp: iso(NOW + DAY) }));
    expect([...asked, ...inTransaction]).toEqual(Array(5).fill(8 * DAY));
  });
});

describe("a captured delivery under a scheme that signs a timestamp", () => {
  const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;

  it.each([
    ["timestamped", timestampedSignature({ header: "X-Sig", toleranceMs: DAY })],
    ["standard webhooks", standardWebhooksSignature({ toleranceMs: DAY })],
  ])("is a duplicate until the timestamp is too old: %s", async (_, scheme) => {
    const delivery = signed(anEvent(), { scheme, secret, now: NOW + DAY });
    const { replayedAt } = await captured(delivery, { scheme, secret, retentionMs: 2 * DAY });
    for (const later of [1, DAY, 2 * DAY - 1]) expect(await replayedAt(NOW + later)).toBe("duplicate");
    expect(await replayedAt(NOW + 2 * DAY + 1)).toBe("timestamp_out_of_tolerance");
  });

  it("is remembered no longer because of its event's time", async () => {
    const scheme = standardWebhooksSignature();
    const delivery = signed({ ...anEvent(), timestamp: iso(NOW + 300 * DAY) }, { scheme, secret, now: NOW });
    const store = memoryStore();
    const { receiver } = bench({ now: () => NOW, store, scheme, secret });
    const { context } = accepted(await receiver.receive(delivery));
    expect(claimBehind(context, store).retentionMs).toBe(7 * DAY);
  });
});

describe("the tolerance of a scheme", () => {
  const creating = (scheme: SignatureScheme, retentionMs: number) => () =>
    createReceiver({ secret: SECRET, scheme, retentionMs, logger: false });
  const refusal = (words: RegExp) =>
    expect.objectContaining({ code: "configuration_invalid", message: expect.stringMatching(words) });

  it("is at most half of the retention", () => {
    const scheme = timestampedSignature({ header: "X-Sig", toleranceMs: DAY });
    expect(creating(scheme, 2 * DAY)).not.toThrow();
    expect(creating(scheme, 2 * DAY - 1)).toThrow(
      refusal(/^createReceiver: retentionMs .*twice the scheme's toleranceMs/),
    );
    expect(creating(timestampedSignature({ header: "X-Sig", toleranceMs: DAY / 2 }), DAY)).not.toThrow();
  });

  it("is declared by the schemes that sign a timestamp", () => {
    expect(timestampedSignature({ header: "X-Sig" }).toleranceMs).toBe(300_000);
    expect(standardWebhooksSignature({ toleranceMs: 60_000 }).toleranceMs).toBe(60_000);
    expect(hmacSignature({ header: "X-Sig" }).toleranceMs).toBeUndefined();
  });

  it("may be left out by a custom scheme, else it must be a number", () => {
    const { toleranceMs: _, ...own } = timestampedSignature({ header: "X-Sig", toleranceMs: DAY });
    expect(creating(own, DAY)).not.toThrow();
    for (const toleranceMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, "5", null])
      expect(creating({ ...own, toleranceMs: toleranceMs as number }, DAY)).toThrow(
        refusal(/^createReceiver: scheme .*toleranceMs/),
      );
  });
});
