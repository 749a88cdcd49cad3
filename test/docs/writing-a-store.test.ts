import { describe, expect, it } from "vitest";
import type { DedupeStore } from "../../src/stores/store.ts";
import { inFull, runs } from "../exhaustive.ts";
import { manualClock } from "../stores/clock.ts";
import { describeStoreContract } from "../stores/contract.ts";
import { modelTest } from "../stores/model.ts";
import { complaintsAbout, exportsOf, snippetsOf } from "./module-snippets.ts";

const [snippet = ""] = snippetsOf("docs/guides/writing-a-store.md");
const { compareAndSetStore } = (await exportsOf(snippet)) as {
  compareAndSetStore: (backend: object, now?: () => number) => DedupeStore;
};

/** A sound backend for concurrent calls, which answers after random delays. */
function backend() {
  const values = new Map<string, { value: string; version: string }>();
  let versions = 0;
  const aWhile = async () => {
    for (let left = Math.floor(Math.random() * 4); left > 0; left -= 1) await null;
  };
  return {
    async get(key: string) {
      await aWhile();
      return values.get(key);
    },
    async replace(key: string, version: string | undefined, value: string | null) {
      await aWhile();
      if (values.get(key)?.version !== version) return false;
      versions += 1;
      if (value === null) values.delete(key);
      else values.set(key, { value, version: String(versions) });
      await aWhile();
      return true;
    },
  };
}

function subject() {
  const shared = backend();
  const { now, advance } = manualClock();
  return { store: compareAndSetStore(shared, now), peer: compareAndSetStore(shared, now), advance };
}

describeStoreContract("the store of docs/guides/writing-a-store.md", subject);

describe("the store of docs/guides/writing-a-store.md", () => {
  it("answers as the state machine does", inFull, () => modelTest(subject, runs(20, 300)));

  it("compiles in a strict project", { timeout: 60_000 }, () => {
    expect(complaintsAbout(snippet)).toEqual([]);
    expect(complaintsAbout(`${snippet}\nconst wrong: number = "";`)).toHaveLength(1);
  });

  it("has about 40 lines, apart from its interface", () => {
    const [, body = ""] = snippet.split(/^(?=export function)/m);
    expect(body.split("\n").length).toBeLessThanOrEqual(42);
  });
});
