// Deliveries that arrive at a steady rate while the worker runs in the same process: what slow handlers do to the acknowledgement,
// and a burst.
import { Child } from "../measure/child.mjs";
import { medianOf } from "../measure/median.mjs";
import { orderOf } from "../measure/turns.mjs";

/** With so many at once handlers of 2 s keep up with 300 events a second. */
const CONCURRENCY = 1_000;
const HANDLERS = [
  { name: "handlers that do nothing", handlerMs: 0 },
  { name: "handlers that do nothing, again (A/A)", handlerMs: 0 },
  { name: "handlers of 2 s", handlerMs: 2_000, goal: { figure: "p99 ratio", atMost: 1.5 } },
];

/** The time to the acknowledgement, by what the handlers do. */
export async function measureAcknowledgement({ inbox: { arrivals, rounds } }) {
  const { perSecond, seconds } = arrivals;
  const count = Math.ceil(perSecond * seconds);
  const terms = HANDLERS.map(({ handlerMs }) => ({ handlerMs, concurrency: CONCURRENCY }));
  const turns = HANDLERS.map(() => []);
  await withServer(terms, async ({ arrive, processed }) => {
    const warm = rounds === 1 ? 0 : 1;
    for (let round = 0; round < rounds + warm; round++) {
      for (const index of orderOf(HANDLERS.length, round)) {
        const turn = await arrive(index, { perSecond, count });
        // So that no handler of this turn runs in the next.
        await processed(index, count * (round + 1));
        if (round >= warm) turns[index].push(turn);
      }
    }
  });
  const group = `inbox, acknowledgement on SQLite, ${perSecond} events/s arriving, 2 KB`;
  return HANDLERS.map(({ name, goal }, index) => ({
    group,
    name,
    figures: {
      "p50 ms": medianOf(turns[index].map(({ times }) => quantile(times, 0.5))),
      "p99 ms": medianOf(turns[index].map(({ times }) => quantile(times, 0.99))),
      "p99 ratio": medianOf(
        turns[index].map(({ times }, round) => quantile(times, 0.99) / quantile(turns[0][round].times, 0.99)),
      ),
    },
    ...(goal === undefined ? {} : { goal }),
  }));
}

/** Many events in a short time, more than the worker can run meanwhile. */
export async function measureBurst({ inbox: { burst } }) {
  const { events, seconds, handlerMs, concurrency } = burst;
  const started = performance.now();
  const { statuses, times, sent, once, rss, drained } = await withServer(
    [{ handlerMs, concurrency }],
    async ({ arrive, processed }) => {
      const { seconds: sent, ...answers } = await arrive(0, { perSecond: events / seconds, count: events });
      const result = await processed(0, events);
      return { ...answers, ...result, sent, drained: (performance.now() - started) / 1_000 };
    },
  );
  const group = `inbox, burst on SQLite: ${events.toLocaleString("en-US")} events of 2 KB, handlers of ${handlerMs} ms, concurrency ${concurrency}`;
  const accepted = Object.entries(statuses).reduce((sum, [status, count]) => sum + (/^2/.test(status) ? count : 0), 0);
  return [
    { name: "answers but 2xx", figures: { count: events - accepted }, goal: { figure: "count", atMost: 0 } },
    { name: "events not run exactly once", figures: { count: events - once }, goal: { figure: "count", atMost: 0 } },
    { name: "the server's memory", figures: { "RSS MB": rss }, goal: { figure: "RSS MB", atMost: 250 } },
    { name: "acknowledgement", figures: { "p50 ms": quantile(times, 0.5), "p99 ms": quantile(times, 0.99) } },
    { name: "sent within", figures: { seconds: sent } },
    { name: "all processed within", figures: { seconds: drained } },
  ].map((row) => ({ group, ...row }));
}

async function withServer(routes, measure) {
  const server = new Child(new URL("arrivals-server.mjs", import.meta.url), { args: [JSON.stringify(routes)] });
  const load = new Child(new URL("arrivals-load.mjs", import.meta.url));
  try {
    const { ports } = await server.answer();
    return await measure({
      arrive: (index, terms) => load.ask({ port: ports[index], ...terms }),
      processed: (index, count) => server.ask({ index, count }),
    });
  } finally {
    await Promise.all([server.end(), load.end()]);
  }
}

function quantile(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}
