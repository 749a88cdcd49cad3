import type { JSX } from "preact";
import { Code } from "../../../page/view/copy-button.tsx";
import { actions } from "../model/actions.ts";
import { endpoints, surroundings } from "../model/world.ts";
import { openEndpointForm } from "./new-endpoint.tsx";

/** Shown in place of the list before anything was sent: the first steps. */
export function NothingYet(): JSX.Element | null {
  const known = surroundings.value;
  if (known === null) return <p class="empty muted">Loading …</p>;
  if (endpoints.value.length > 0) return <ReadyToSend />;
  return (
    <div class="empty first-steps">
      <h2>No endpoint is registered yet</h2>
      <p class="muted">
        The sandbox signs events and sends them to your endpoint as Bluum does. Add your endpoint here, or from your
        terminal.
      </p>
      <button type="button" class="primary" onClick={openEndpointForm}>
        Add endpoint
      </button>
      <ol>
        {known.firstSteps.map(({ title, code }) => (
          <li key={title}>
            <h3>{title}</h3>
            <Code code={code} what={title} />
          </li>
        ))}
        <li>
          <h3>Send an event</h3>
          <p class="muted">Once an endpoint is registered, this page offers scenarios to start with.</p>
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
      <p class="muted">Nothing was sent so far. Start a scenario; its deliveries appear here.</p>
      {first !== undefined && (
        <button type="button" class="primary" onClick={() => actions.scenario(first.name, first.title)}>
          {first.title}
        </button>
      )}
      <p class="muted hint">Other scenarios and single events are under “Send”.</p>
    </div>
  );
}
