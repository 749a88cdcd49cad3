import { holds, pause, same, until } from "../checklist.mjs";
import { delivery, mount } from "./mount.mjs";

const LEASE_MS = 3_000;

/** The claim's life, which hangs on the runtime's timers. */
export function claims(check, doors) {
  const { memoryStore } = doors["."];

  check("a claim is renewed while its handler runs, and a duplicate waits for it all the while", async () => {
    const { send, handled } = mount(doors, { leaseMs: LEASE_MS }, (_, context) =>
      pause(2.5 * LEASE_MS).then(() => context.signal.throwIfAborted()),
    );
    const sent = delivery(doors);
    const answer = send(sent);
    await pause(1.5 * LEASE_MS);
    same("a duplicate after the first lease", await send(sent), "503 event_in_flight");
    same("the first", await answer, "200");
    same("a duplicate afterwards", await send(sent), "200 duplicate");
    same("runs", handled.length, 1);
  });

  check("a claim after an idle while is renewed as well", async () => {
    const { send } = mount(doors, { leaseMs: LEASE_MS }, (event) => pause(event.data.hold_ms));
    same("a short one", await send(delivery(doors, { data: { hold_ms: 0 } })), "200");
    await pause(LEASE_MS);
    const sent = delivery(doors, { data: { hold_ms: 2 * LEASE_MS } });
    const answer = send(sent);
    await pause(1.5 * LEASE_MS);
    same("a duplicate after the lease", await send(sent), "503 event_in_flight");
    same("the first", await answer, "200");
  });

  check("a claim that somebody else has taken aborts its signal", async () => {
    const own = memoryStore();
    const store = { ...own, renew: async () => false };
    let reason;
    const { send } = mount(doors, { leaseMs: 1_000, store, namespace: "runtimes" }, async (_, { signal }) => {
      await until("the abort", () => signal.aborted);
      reason = signal.reason.code;
      signal.throwIfAborted();
    });
    same("answer", await send(delivery(doors)), "503 event_in_flight");
    same("reason", reason, "claim_lost");
  });

  check("work that goes on beyond maxProcessingMs is answered handler_timeout, and its signal aborts", async () => {
    let signal;
    const { send } = mount(doors, { leaseMs: 1_000, maxProcessingMs: 1_000 }, (_, context) => {
      signal = context.signal;
      return until("the abort", () => context.signal.aborted);
    });
    same("answer", await send(delivery(doors)), "503 handler_timeout");
    holds("aborted", signal.aborted);
    same("reason", signal.reason.code, "handler_timeout");
  });

  check("a receiver that closes refuses what comes, and waits for what runs", async () => {
    const { send, receiver } = mount(doors, {}, () => pause(200));
    const answer = send(delivery(doors));
    await pause(50);
    const closed = receiver.close();
    same("while closing", await send(delivery(doors)), "503 receiver_closed");
    await closed;
    same("the one that ran", await answer, "200");
  });

  check("a secret function that hangs is secret_unavailable in time", async () => {
    const { send } = mount(doors, { secret: () => new Promise(() => {}), secretTimeoutMs: 100 });
    same("answer", await send(delivery(doors)), "503 secret_unavailable");
  });
}
