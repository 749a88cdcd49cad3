import type { State } from "./state.ts";

/**
 * Writes the changes of each turn of the event loop in one transaction: one for each change would cost more than the deliveries. Of
 * several changes of one thing, only the last is written. A killed process loses one turn at most.
 *
 * After a write fails, nothing more is written: the file stays as it was, and the sandbox goes on in memory.
 *
 * @param onFailure called once, with the error of the write
 */
export function batchedState(state: State, onFailure: (error: unknown) => void): State {
  const batch = new Batch(state, onFailure);
  return {
    ...state,
    keep: (name, value) => batch.add(`kept ${name}`, () => state.keep(name, value)),
    saveEndpoint: (endpoint) => batch.add(endpoint.id, () => state.saveEndpoint(endpoint)),
    removeEndpoint: (id) => batch.add(id, () => state.removeEndpoint(id)),
    saveDelivery: (delivery) => batch.add(delivery.id, () => state.saveDelivery(delivery)),
    forgetDelivery: (id) => batch.add(id, () => state.forgetDelivery(id)),
    together: (writes) => writes(),
    close() {
      batch.close();
      state.close();
    },
  };
}

/** The writes of the current turn, one for each subject, in the order of the first change of each. */
class Batch {
  readonly #state: State;
  readonly #onFailure: (error: unknown) => void;
  readonly #pending = new Map<string, () => void>();
  #turn: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(state: State, onFailure: (error: unknown) => void) {
    this.#state = state;
    this.#onFailure = onFailure;
  }

  add(subject: string, write: () => void): void {
    if (this.#closed) return;
    this.#pending.set(subject, write);
    this.#turn ??= setImmediate(() => this.#flush());
  }

  close(): void {
    clearImmediate(this.#turn);
    this.#flush();
    this.#closed = true;
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
      this.#closed = true;
      this.#onFailure(error);
    }
  }
}
