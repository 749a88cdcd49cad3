import type { BatchObservableResult, MeterProvider, ObservableGauge } from "@opentelemetry/api";
import { unref } from "../../async.ts";
import { METRICS, ON_METRICS, SCOPE, SHARED, STATES } from "../names.ts";
import type { InboxCounts, TelemetryInbox, TelemetrySource } from "../telemetry.ts";
import { type Instruments, optionsOf } from "./instruments.ts";
import { StatsReader } from "./stats-reader.ts";

/** How often to look whether the SDK has started. */
const LOOK_MS = 1_000;

interface Watched {
  readonly namespace: string;
  readonly inbox: TelemetryInbox;
  readonly reader: StatsReader;
  /** Whether the gauges have had values. */
  reported: boolean;
  /** Whether the receiver is closed. */
  ended: boolean;
}

/** What the gauges say of an inbox that does not answer. The SDK would repeat the last values of gauges that say nothing. */
const UNKNOWN: InboxCounts = {
  waiting: Number.NaN,
  delayed: Number.NaN,
  active: Number.NaN,
  parked: Number.NaN,
  oldestWaitingMs: Number.NaN,
};

interface Gauges {
  readonly events: ObservableGauge;
  readonly oldestAge: ObservableGauge;
}

/** The gauges of all inboxes: registered once with each meter provider, however many receivers there are. */
export class InboxGauges {
  readonly #provider: () => MeterProvider;
  readonly #instruments: () => Instruments;
  readonly #watched = new Set<Watched>();
  #registeredWith: MeterProvider | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(provider: () => MeterProvider, instruments: () => Instruments) {
    this.#provider = provider;
    this.#instruments = instruments;
  }

  /**
   * Watches the inbox of a receiver.
   *
   * @returns ends it
   */
  watch({ namespace, inbox }: TelemetrySource): () => void {
    if (inbox === undefined) return () => {};
    const known = [...this.#watched].find((each) => each.inbox === inbox);
    const reader = known?.reader ?? new StatsReader(inbox);
    const watched: Watched = { namespace, inbox, reader, reported: false, ended: false };
    this.#watched.add(watched);
    this.#register();
    // Nothing tells when the SDK starts, and a worker without events would not ask.
    this.#timer ??= setInterval(() => this.#register(), LOOK_MS);
    unref(this.#timer);
    return () => this.#end(watched);
  }

  #end(watched: Watched): void {
    watched.ended = true;
    // Without values there is nothing to end, and without an SDK nobody would ask again.
    if (!watched.reported) this.#watched.delete(watched);
    if ([...this.#watched].some(({ ended }) => !ended)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #register(): void {
    const provider = this.#provider();
    if (provider === this.#registeredWith) return;
    this.#registeredWith = provider;
    const meter = provider.getMeter(SCOPE);
    const { inboxEvents, inboxOldestAge } = METRICS;
    const events = meter.createObservableGauge(inboxEvents.name, optionsOf(inboxEvents));
    const oldestAge = meter.createObservableGauge(inboxOldestAge.name, optionsOf(inboxOldestAge));
    meter.addBatchObservableCallback(
      (result) => this.#observe(result, provider, { events, oldestAge }),
      [events, oldestAge],
    );
  }

  async #observe(result: BatchObservableResult, provider: MeterProvider, gauges: Gauges): Promise<void> {
    if (provider !== this.#registeredWith) return;
    const ended = [...this.#watched].filter((watched) => watched.ended);
    for (const watched of ended) this.#watched.delete(watched);
    // Of several receivers of one name, the last that is not closed.
    const inboxes = new Map([...ended, ...this.#watched].map((watched) => [watched.namespace, watched]));
    await Promise.all([...inboxes.values()].map((watched) => this.#observeInbox(result, gauges, watched)));
  }

  async #observeInbox(result: BatchObservableResult, gauges: Gauges, watched: Watched): Promise<void> {
    const { namespace, inbox, reader } = watched;
    // From the start, or the first parked event would be no increase.
    this.#instruments().inboxParked.add(0, { [SHARED.destination]: namespace });
    const known = watched.ended ? undefined : await reader.read();
    if (!watched.reported && (known === undefined || watched.ended)) return;
    watched.reported = true;
    const stats = known ?? UNKNOWN;
    const attributes = { [SHARED.destination]: namespace, [ON_METRICS.engine]: inbox.name };
    for (const state of STATES)
      result.observe(gauges.events, stats[state], { ...attributes, [ON_METRICS.state]: state });
    result.observe(gauges.oldestAge, stats.oldestWaitingMs / 1000, attributes);
  }
}
