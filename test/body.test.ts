import { describe, expect, it } from "vitest";
import { BodyBudget, BodyBuffer } from "../src/body.ts";
import type { BodyReader } from "../src/delivery.ts";
import { WebhookError } from "../src/errors.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

describe("a body buffer", () => {
  it("gives the bytes of all chunks, in order", () => {
    const body = new BodyBuffer({ maxBytes: MEBIBYTE });
    const sent = Buffer.from(Array.from({ length: 70_000 }, (_, place) => place % 251));
    for (let at = 0, size = 0; at < sent.length; at += size, size = (size % 700) + 1)
      body.append(sent.subarray(at, at + size));
    expect(Buffer.from(body.bytes()).equals(sent)).toBe(true);
    expect(body.bytes().buffer.byteLength).toBe(sent.length);
  });

  it("is empty where nothing came, also in empty chunks", () => {
    const body = new BodyBuffer({ maxBytes: 0 });
    body.append(new Uint8Array(0));
    expect(body.bytes()).toHaveLength(0);
  });

  it("keeps its own copy of a chunk", () => {
    const body = new BodyBuffer({ maxBytes: 10 });
    const chunk = Uint8Array.of(1, 2);
    body.append(chunk);
    chunk.fill(9);
    expect([...body.bytes()]).toEqual([1, 2]);
  });

  it("takes maxBytes and not a byte more", () => {
    const body = new BodyBuffer({ maxBytes: 3 });
    body.append(Uint8Array.of(1, 2, 3));
    expect(() => body.append(Uint8Array.of(4))).toThrow(expect.objectContaining({ code: "body_too_large" }));
    expect([...body.bytes()]).toEqual([1, 2, 3]);
  });

  it("doubles, never beyond maxBytes, and reserves each size before it has it", () => {
    const sizes: number[] = [];
    const body = new BodyBuffer({ maxBytes: 5_000, reserve: (bytes) => sizes.push(bytes) });
    for (let bytes = 0; bytes < 5_000; bytes += 1) body.append(Uint8Array.of(1));
    expect(sizes).toEqual([1_024, 2_048, 4_096, 5_000]);
    expect(body.bytes().buffer.byteLength).toBe(5_000);
  });

  it("refuses a chunk for which there is no room, and keeps what it has", () => {
    const full = new Error("full");
    const body = new BodyBuffer({
      maxBytes: MEBIBYTE,
      reserve(bytes) {
        if (bytes > 1_024) throw full;
      },
    });
    body.append(new Uint8Array(1_024));
    expect(() => body.append(Uint8Array.of(1))).toThrow(full);
    expect(body.bytes()).toHaveLength(1_024);
  });
});

describe("a body budget", () => {
  /** Begins a read that reserves so many bytes. It ends when it is told to. */
  function begin(budget: BodyBudget, bytes: number) {
    let end: () => void = () => {};
    const read = budget.read(({ reserve }) => {
      reserve?.(bytes);
      return new Promise((resolve) => {
        end = () => resolve(new Uint8Array(0));
      });
    });
    const ended = read.then(
      () => "read",
      (error: { code?: string }) => error.code,
    );
    return { ended, end: () => end() };
  }

  const limits = { maxBytes: MEBIBYTE, timeoutMs: 1_000 };

  it("hands its limits to the reader, and on what that reads; what else it throws is body_incomplete", async () => {
    const budget = new BodyBudget(limits);
    const reader: BodyReader = async ({ maxBytes, timeoutMs }) => Uint8Array.of(maxBytes / MEBIBYTE, timeoutMs / 1_000);
    expect([...(await budget.read(reader))]).toEqual([1, 1]);
    const broken = new Error("broken");
    const incomplete = { code: "body_incomplete", cause: broken };
    await expect(budget.read(() => Promise.reject(broken))).rejects.toMatchObject(incomplete);
    const throwing = () => {
      throw broken;
    };
    await expect(budget.read(throwing)).rejects.toMatchObject(incomplete);
    const refused = new WebhookError("body_too_large", "refused by the reader");
    await expect(budget.read(() => Promise.reject(refused))).rejects.toBe(refused);
  });

  it("has 64 MiB beyond the first 64 KiB of each body; what is more is receiver_busy", async () => {
    const budget = new BodyBudget(limits);
    const large = Array.from({ length: 64 }, () => begin(budget, MEBIBYTE + 64 * KIBIBYTE));
    expect(await begin(budget, 64 * KIBIBYTE + 1).ended).toBe("receiver_busy");
    const small = begin(budget, 64 * KIBIBYTE);
    small.end();
    expect(await small.ended).toBe("read");
    for (const { end } of large) end();
    expect(new Set(await Promise.all(large.map(({ ended }) => ended)))).toEqual(new Set(["read"]));
  });

  it("has four times maxBytes where that is more", async () => {
    const budget = new BodyBudget({ maxBytes: 32 * MEBIBYTE, timeoutMs: 1_000 });
    const large = Array.from({ length: 4 }, () => begin(budget, 32 * MEBIBYTE));
    // Of the four, each has 64 KiB for nothing.
    expect(await begin(budget, 64 * KIBIBYTE + 256 * KIBIBYTE + 1).ended).toBe("receiver_busy");
    for (const { end } of large) end();
    await Promise.all(large.map(({ ended }) => ended));
  });

  it("has everything back once the reads have settled, whichever way", async () => {
    const budget = new BodyBudget(limits);
    const all = 64 * MEBIBYTE + 64 * KIBIBYTE;
    const first = begin(budget, all);
    expect(await begin(budget, MEBIBYTE).ended).toBe("receiver_busy");
    first.end();
    await first.ended;
    const failing: BodyReader = async ({ reserve }) => {
      reserve?.(all / 2);
      reserve?.(all);
      throw new Error("broken");
    };
    await expect(budget.read(failing)).rejects.toMatchObject({ code: "body_incomplete" });
    const last = begin(budget, all);
    last.end();
    expect(await last.ended).toBe("read");
  });

  it("is not drawn on by a reader that goes on after its read has settled", async () => {
    const budget = new BodyBudget(limits);
    let late: (bytes: number) => void = () => {};
    await budget.read(async ({ reserve = late }) => {
      late = reserve;
      return new Uint8Array(0);
    });
    late(64 * MEBIBYTE);
    const read = begin(budget, 64 * MEBIBYTE);
    read.end();
    expect(await read.ended).toBe("read");
  });
});
