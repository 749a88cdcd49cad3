import { randomUUID } from "node:crypto";
import { sleep } from "../../src/async.ts";
import type { InboxWorker, ProcessMessage, WorkOptions } from "../../src/inbox/inbox.ts";
import { LEASE_MS, type Row } from "./plain-row.ts";

/** What a worker does with its inbox. */
interface Steps {
  readonly retry: { readonly attempts: number };
  take(token: string): Row | undefined;
  renew(row: Row, token: string): void;
  succeed(row: Row, token: string): void;
  fail(row: Row, token: string, thrown: unknown): boolean;
  giveBack(row: Row, token: string): void;
}

/** A worker of a plain inbox. */
export class PlainWorker implements InboxWorker {
  readonly inbox: Steps;
  readonly process: ProcessMessage;
  readonly options: WorkOptions;
  readonly running: Map<string, { readonly row: Row; readonly ended: Promise<void> }> = new Map();
  readonly timer: NodeJS.Timeout;

  constructor(inbox: Steps, process: ProcessMessage, options: WorkOptions) {
    this.inbox = inbox;
    this.process = process;
    this.options = options;
    this.timer = setInterval(() => this.tell(() => this.fill()), 5);
  }

  async close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    clearInterval(this.timer);
    await Promise.race([
      Promise.all([...this.running.values()].map(({ ended }) => ended)),
      sleep(timeoutMs, { unref: true }),
    ]);
    for (const [token, { row }] of this.running) this.inbox.giveBack(row, token);
    this.running.clear();
  }

  /** Takes as many messages as there is room for. */
  fill(): void {
    const { concurrency = 10 } = this.options;
    while (this.running.size < concurrency) {
      const token = randomUUID();
      const row = this.inbox.take(token);
      if (row === undefined) return;
      this.running.set(token, { row, ended: this.run(row, token) });
    }
  }

  async run(row: Row, token: string): Promise<void> {
    const renewing = setInterval(() => this.tell(() => this.inbox.renew(row, token)), LEASE_MS / 4);
    const { attempts: of } = this.inbox.retry;
    const failed = await this.process(JSON.parse(row.json), { number: row.started, of }).then(
      () => undefined,
      (thrown: unknown) => ({ thrown }),
    );
    clearInterval(renewing);
    this.tell(() => {
      if (failed === undefined) this.inbox.succeed(row, token);
      else if (this.inbox.fail(row, token, failed.thrown)) this.notify(row);
    });
    this.running.delete(token);
  }

  notify({ key, type, started, error }: Row): void {
    try {
      this.options.onParked({ key, type, attempts: started, error });
    } catch {
      // It must not stop the worker.
    }
  }

  /** Tells `onError` what goes wrong with the backend. */
  tell(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.report(error);
    }
  }

  report(error: unknown): void {
    try {
      this.options.onError(error);
    } catch {
      // It must not stop the worker.
    }
  }
}
