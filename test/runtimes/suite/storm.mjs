import { pause, same } from "../checklist.mjs";
import { delivery, mount } from "./mount.mjs";

const AT_ONCE = 50;

/** Many at once. */
export function storm(check, doors) {
  check(`of ${AT_ONCE} concurrent duplicates one is accepted, and the others wait for it`, async () => {
    const { send, handled } = mount(doors, {}, () => pause(100));
    const sent = delivery(doors);
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => send(sent)));
    same("answers", tally(answers), { 200: 1, "503 event_in_flight": AT_ONCE - 1 });
    same("runs", handled.length, 1);
    same("afterwards", await send(sent), "200 duplicate");
  });

  check(`${AT_ONCE} different events at once are all accepted, each once`, async () => {
    const { send, handled } = mount(doors, {}, () => pause(10));
    const events = Array.from({ length: AT_ONCE }, () => delivery(doors));
    same("answers", tally(await Promise.all(events.map(send))), { 200: AT_ONCE });
    same("again", tally(await Promise.all(events.map(send))), { "200 duplicate": AT_ONCE });
    same("runs", new Set(handled).size, AT_ONCE);
  });
}

/** How often each of them occurs, in their alphabetical order. */
export function tally(values) {
  const counts = {};
  for (const value of values.toSorted()) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
