import type { State } from "./state.ts";

/**
 * A state that is written at the end of each turn of the event loop, all that has changed in one transaction: a transaction for
 * each change would cost more than the deliveries. Of what changes more than once in a turn the last is written. A process that is
 * killed loses one turn at the most.
 *
 * A write that fails ends the writing, and not the sandbox, which has everything in memory: the file stays as it was before.
 *
 * @param onFailure told once, with what went wrong
 */
export function batchedState(state: State, onFailure: (error: unknown) => void): State {
  const writing = new Writing(state, onFailure);
  return {
    ...state,
    keep: (name, value) => writing.add(`kept ${name}`, () => state.keep(name, value)),
    saveEndpoint: (endpoint) => writing.add(endpoint.id, () => state.saveEndpoint(endpoint)),
    removeEndpoint: (id) => writing.add(id, () => state.removeEndpoint(id)),
    saveDelivery: (delivery) => writing.add(delivery.id, () => state.saveDelivery(delivery)),
    forgetDelivery: (id) => writing.add(id, () => state.forgetDelivery(id)),
    together: (writes) => writes(),
    close() {
      writing.end();
      state.close();
    },
  };
}

/** What is to be written, by what it is about, in the order in which that first changed. */
class Writing {
  readonly #state: State;
  readonly #onFailure: (error: unknown) => void;
  readonly #pending = new Map<string, () => void>();
  #turn: NodeJS.Immediate | undefined;
  #hasEnded = false;

  constructor(state: State, onFailure: (error: unknown) => void) {
    this.#state = state;
    this.#onFailure = onFailure;
  }

  add(subject: string, write: () => void): void {
    if (this.#hasEnded) return;
    this.#pending.set(subject, write);
    this.#turn ??= setImmediate(() => this.#flush());
  }

  end(): void {
    clearImmediate(this.#turn);
    this.#flush();
    this.#hasEnded = true;
  }

  #flush(): void {
    this.#turn = undefined;
    const writes = [...this.#pending.values()];
    this.#pending.clear();
    if (writes.length === 0) return;
    try {
      this.#state.together(() => {
        for (const write of writes) write();
      });
    } catch (error) {
      this.#hasEnded = true;
      this.#onFailure(error);
    }
  }
}
