import { afterEach, describe, expect, it, vi } from "vitest";
import { LiveCounts } from "../../../src/inbox/page/live-counts.ts";

const COUNTS = { waiting: 0, delayed: 0, active: 0, parked: 0, oldestWaitingMs: 0 };

/** An inbox whose counts a test sets, and how often they were read. */
function counted() {
  const inbox = {
    name: "counted",
    counts: COUNTS as typeof COUNTS | Error,
    reads: 0,
    async stats() {
      inbox.reads += 1;
      if (inbox.counts instanceof Error) throw inbox.counts;
      return inbox.counts;
    },
    parked: async () => ({ events: [] }),
    redrive: async () => 0,
    discard: async () => 0,
  };
  return inbox;
}

/** Reads a stream as it comes. */
function reading(stream: ReadableStream<Uint8Array> | undefined) {
  const read = { text: "", ended: false, cancel: () => reader?.cancel() };
  const reader = stream?.getReader();
  const decoder = new TextDecoder();
  void (async () => {
    for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read()) {
      read.text += decoder.decode(chunk.value);
    }
    read.ended = true;
  })();
  return read;
}

describe("the stream of counts", () => {
  afterEach(() => void vi.useRealTimers());

  it("ends after five minutes, so that the page connects and is authorized again", async () => {
    vi.useFakeTimers();
    const live = new LiveCounts(counted(), () => {});
    const page = reading(live.open());
    await vi.advanceTimersByTimeAsync(299_000);
    expect(page.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(page.ended).toBe(true);
  });

  it("reads the counts every two seconds, for all pages together, until the last has left", async () => {
    vi.useFakeTimers();
    const inbox = counted();
    const live = new LiveCounts(inbox, () => {});
    const pages = [live.open(), live.open(), live.open()].map(reading);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(inbox.reads).toBe(5);
    for (const { cancel } of pages) cancel();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(inbox.reads).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sends what has changed and nothing else, and an error once", async () => {
    vi.useFakeTimers();
    const inbox = counted();
    const errors: unknown[] = [];
    const page = reading(new LiveCounts(inbox, (error) => errors.push(error)).open());
    await vi.advanceTimersByTimeAsync(10_000);
    inbox.counts = new Error("away");
    await vi.advanceTimersByTimeAsync(10_000);
    inbox.counts = { ...COUNTS, parked: 1 };
    await vi.advanceTimersByTimeAsync(10_000);
    const kinds = [...page.text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, kind, data]) => [kind, data]);
    expect(kinds).toEqual([
      ["counts", JSON.stringify(COUNTS)],
      ["trouble", "{}"],
      ["counts", JSON.stringify({ ...COUNTS, parked: 1 })],
    ]);
    expect(errors.length).toBe(1);
  });
});
