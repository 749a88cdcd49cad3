import { memoryStore } from "../../src/stores/memory.ts";
import type { DedupeStore } from "../../src/stores/store.ts";

type Verb = "claim" | "renew" | "complete" | "release";

/** Replaces a verb; `act` does what the sound store would have done. */
export type Fault = (act: () => Promise<unknown>) => Promise<unknown>;

class StoreDown extends Error {
  override readonly name = "StoreDown";
}

export const rejects: Fault = () => Promise.reject(new StoreDown("down"));
export const throwsAtOnce: Fault = () => {
  throw new StoreDown("down, at once");
};
export const hangs: Fault = () => new Promise(() => {});
/** A lost reply: the store acts, and the caller gets an error. */
export const actsThenRejects: Fault = async (act) => {
  await act();
  throw new StoreDown("the reply was lost");
};

/** A memory store whose verbs can be broken, and that records its calls. */
export interface FaultyStore extends DedupeStore {
  /** The verbs that were called, in order. */
  readonly calls: { readonly verb: Verb; readonly key: string; readonly token: string }[];
  readonly sound: DedupeStore;
  /** Breaks a verb for a number of calls. */
  break(verb: Verb, fault: Fault, times?: number): void;
  /** Makes a verb sound again. */
  heal(verb: Verb): void;
  count(verb: Verb): number;
}

export function faultyStore(sound: DedupeStore = memoryStore()): FaultyStore {
  const faults = new Map<Verb, { readonly fault: Fault; left: number }>();
  const calls: { verb: Verb; key: string; token: string }[] = [];

  function call<V extends Verb>(verb: V) {
    return ((key: string, by: { token: string }) => {
      calls.push({ verb, key, token: by.token });
      const act = () => (sound[verb] as (key: string, by: object) => Promise<unknown>)(key, by);
      const broken = faults.get(verb);
      if (broken === undefined || broken.left === 0) return act();
      broken.left--;
      return broken.fault(act);
    }) as DedupeStore[V];
  }
  return {
    claim: call("claim"),
    renew: call("renew"),
    complete: call("complete"),
    release: call("release"),
    forget: async (key) => (await sound.forget?.(key)) ?? false,
    calls,
    sound,
    break(verb, fault, times = Number.POSITIVE_INFINITY) {
      faults.set(verb, { fault, left: times });
    },
    heal(verb) {
      faults.delete(verb);
    },
    count: (verb) => calls.filter((one) => one.verb === verb).length,
  };
}
