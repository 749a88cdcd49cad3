import type { Delivery } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import type { DedupeStore } from "../stores/store.ts";
import { acquire, type Claim, type ClaimSettings, fencingTokens, type NotAcquired, withoutClaim } from "./claim.ts";
import type { Deadline } from "./deadline.ts";
import type { ThrottledLog } from "./log.ts";
import type { Settings } from "./options.ts";
import { timedStore } from "./store-timeouts.ts";

/**
 * How many calls to the store may be unanswered before new claims are refused. Each of them stays in memory, with its
 * delivery or in the store's client, until it is answered or given up. A process verifies some 10,000 deliveries a second, so
 * a store that lets a thousand wait is a tenth of a second behind under full load, and ten seconds behind at a hundred a second.
 */
const MAX_UNANSWERED = 1_000;

/** What one delivery adds to the settings of its claim. */
export interface DeliverySettings {
  readonly delivery: Delivery;
  readonly deadline: Deadline | undefined;
  readonly retentionMs: number;
}

/** Claims the events of one receiver. */
export class Claims {
  /** For claims of stored events, and of deliveries that change nothing. */
  readonly settings: ClaimSettings;
  readonly #onStoreError: "reject" | "accept";
  /** How many claims the store has not answered. */
  #unanswered = 0;

  constructor(store: DedupeStore, settings: Settings, log: ThrottledLog) {
    const { leaseMs, retentionMs, maxProcessingMs, onStoreError } = settings;
    const newToken = fencingTokens();
    const times = { leaseMs, retentionMs, maxProcessingMs };
    this.settings = { store, timedStore: timedStore(store), ...times, log, newToken, open: new Set() };
    this.#onStoreError = onStoreError;
  }

  /** Whether a claim is being asked for, or is not settled yet. */
  get busy(): boolean {
    return this.#unanswered + this.settings.open.size > 0;
  }

  /**
   * Claims an event, or goes on without a claim if the store fails and `onStoreError` says so.
   *
   * @throws WebhookError `store_unavailable`
   */
  async claim(key: string, own: DeliverySettings): Promise<Claim | NotAcquired> {
    const settings = this.#settingsFor(own);
    const stuck = Math.max(this.#unanswered, settings.store.unanswered?.() ?? 0) >= MAX_UNANSWERED;
    this.#unanswered += 1;
    try {
      if (stuck) throw storeStuck();
      return await acquire(key, settings);
    } catch (cause) {
      if (this.#onStoreError === "reject")
        throw new WebhookError("store_unavailable", "the store failed to claim the event", { cause });
      settings.log.error(
        "store_unavailable",
        'store_unavailable: the store failed to claim an event; it is processed anyway (onStoreError is "accept") and may run twice',
        cause,
      );
      return withoutClaim(key, settings);
    } finally {
      this.#unanswered -= 1;
    }
  }

  #settingsFor({ delivery, deadline, retentionMs }: DeliverySettings): ClaimSettings {
    const special = deadline ?? delivery.waitUntil;
    if (special === undefined && retentionMs === this.settings.retentionMs) return this.settings;
    const { store, timedStore: untilTimeout, log } = this.settings;
    const untilDeadline = deadline === undefined ? untilTimeout : timedStore(store, deadline);
    const waitUntil = delivery.waitUntil && safeWaitUntil(delivery.waitUntil, log);
    return { ...this.settings, timedStore: untilDeadline, retentionMs, deadline, waitUntil };
  }
}

function storeStuck(): Error {
  return new Error(
    `${MAX_UNANSWERED} calls or more to the store are unanswered; new claims are refused until it answers`,
  );
}

/** A runtime's `waitUntil`. What it throws must not cost an event. */
function safeWaitUntil(
  waitUntil: (work: Promise<unknown>) => void,
  log: ThrottledLog,
): (work: Promise<unknown>) => void {
  const refused = (error: unknown) =>
    log.warn("wait_until_failed", "waitUntil did not accept the work that continues after the answer", error);
  return (work) => {
    try {
      Promise.resolve<unknown>(waitUntil(work)).catch(refused);
    } catch (error) {
      refused(error);
    }
  };
}
