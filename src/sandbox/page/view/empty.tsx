import type { JSX } from "preact";
import { actions } from "../model/actions.ts";
import { endpoints, surroundings } from "../model/world.ts";
import { Code } from "./copy-button.tsx";

/** What stands in the list's place before anything was sent: what to do first. */
export function NothingYet(): JSX.Element | null {
  const known = surroundings.value;
  if (known === null) return <p class="empty muted">Asking the sandbox …</p>;
  if (endpoints.value.length > 0) return <ReadyToSend />;
  return (
    <div class="empty first-steps">
      <h2>Nothing is listening yet</h2>
      <p class="muted">
        This sandbox signs events and sends them to your endpoint as Bluum would. It needs to know where that is.
      </p>
      <ol>
        {known.firstSteps.map(({ title, code }) => (
          <li key={title}>
            <h3>{title}</h3>
            <Code code={code} what={title} />
          </li>
        ))}
        <li>
          <h3>Send it something</h3>
          <p class="muted">Scenarios stand ready here as soon as an endpoint is registered.</p>
        </li>
      </ol>
    </div>
  );
}

function ReadyToSend(): JSX.Element {
  const [first] = surroundings.value?.scenarios ?? [];
  return (
    <div class="empty">
      <h2>Your endpoint is registered</h2>
      <p class="muted">
        Nothing was sent so far. Start with a story; each of its steps arrives here as it is delivered.
      </p>
      {first !== undefined && (
        <button type="button" class="primary" onClick={() => actions.scenario(first.name, first.title)}>
          {first.title}
        </button>
      )}
      <p class="muted hint">Other stories and single events are under “Send”.</p>
    </div>
  );
}
