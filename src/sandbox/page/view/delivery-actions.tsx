import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { visible } from "../../../page/model/visible-text.ts";
import { actions } from "../model/actions.ts";
import { surroundings } from "../model/world.ts";

/** The buttons of a delivery: duplicate, replay, forge. */
export function DeliveryActions({ id }: { readonly id: string }): JSX.Element {
  const forgeries = surroundings.value?.forgeries ?? [];
  const chosen = useSignal<string | null>(null);
  const kind = chosen.value ?? forgeries[0]?.kind ?? "";
  return (
    <fieldset class="actions">
      <legend class="unseen">Do something with this delivery</legend>
      <button type="button" onClick={() => actions.duplicate(id)} title="Send the same bytes once more (d)">
        Duplicate
      </button>
      <button type="button" onClick={() => actions.replay(id)} title="Send the event again, with all its retries (r)">
        Replay
      </button>
      {forgeries.length > 0 && (
        <span class="joined">
          <select
            aria-label="Kind of forgery"
            value={kind}
            onChange={({ currentTarget }) => {
              chosen.value = currentTarget.value;
            }}
          >
            {forgeries.map((forgery) => (
              <option key={forgery.kind} value={forgery.kind}>
                {visible(forgery.title)}
              </option>
            ))}
          </select>
          <button type="button" onClick={() => actions.forge(id, kind)}>
            Forge
          </button>
        </span>
      )}
    </fieldset>
  );
}
