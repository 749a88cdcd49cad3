import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { reportError } from "../../../page/model/notices.ts";
import { actions } from "../model/actions.ts";
import { surroundings } from "../model/world.ts";
import { EVENT_ID } from "./element-ids.ts";

/** Scenarios and single events. */
export function SendPanel(): JSX.Element {
  return (
    <section class="card" aria-labelledby="send-title">
      <h2 id="send-title">Send</h2>
      <ScenarioButtons />
      <EventForm />
    </section>
  );
}

function ScenarioButtons(): JSX.Element {
  return (
    <ul class="scenarios">
      {surroundings.value?.scenarios.map(({ name, title }) => (
        <li key={name}>
          <button type="button" class="scenario" onClick={() => actions.scenario(name, title)}>
            <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
              <path d="M4 2.5v11l9-5.500Z" />
            </svg>
            {title}
          </button>
        </li>
      ))}
    </ul>
  );
}

function EventForm(): JSX.Element {
  const type = useSignal("");
  const data = useSignal("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const parsed = parseData(data.value);
    if (parsed === null) reportError('The data must be JSON, such as { "symbol": "AAPL" }.');
    else void actions.event(type.value.trim(), parsed.data);
  };
  return (
    <form class="event-form" onSubmit={submit}>
      <label for={EVENT_ID}>One event</label>
      <div class="joined">
        <input
          id={EVENT_ID}
          list="event-types"
          required
          placeholder="order.filled"
          autocomplete="off"
          spellcheck={false}
          value={type.value}
          onInput={({ currentTarget }) => {
            type.value = currentTarget.value;
          }}
        />
        <button type="submit" class="primary">
          Send
        </button>
      </div>
      <datalist id="event-types">
        {surroundings.value?.eventTypes.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <details>
        <summary>Custom data</summary>
        <textarea
          rows={4}
          aria-label="Data as JSON"
          placeholder={'{ "symbol": "AAPL" }'}
          spellcheck={false}
          value={data.value}
          onInput={({ currentTarget }) => {
            data.value = currentTarget.value;
          }}
        />
      </details>
    </form>
  );
}

/** The typed JSON; `{}` if the field is empty, null if it is not JSON. */
function parseData(text: string): { readonly data?: unknown } | null {
  if (text.trim() === "") return {};
  try {
    return { data: JSON.parse(text) };
  } catch {
    return null;
  }
}
