import type { JSX } from "preact";
import { visible } from "../../../../page/model/visible-text.ts";
import type { ParkedSelection } from "../../../inbox.ts";
import { isBusy, request } from "../model/actions.ts";
import { events, filter, selected, togglePage } from "../model/parked.ts";

/** What can be done with the selected events, and with all that are listed. */
export function BulkActions(): JSX.Element {
  const keys = [...selected.value];
  return (
    <fieldset class="bulk">
      <legend class="unseen">Do something with several events</legend>
      <label class="switch">
        <input
          type="checkbox"
          checked={keys.length > 0 && keys.length === events.value.length}
          indeterminate={keys.length > 0 && keys.length < events.value.length}
          disabled={events.value.length === 0}
          onChange={togglePage}
        />
        {keys.length === 0 ? "Select the page" : `${keys.length} selected`}
      </label>
      <Deeds selection={{ keys }} which={keys.length === 0 ? "" : String(keys.length)} disabled={keys.length === 0} />
      <span class="spring" />
      <AllOfThem />
    </fieldset>
  );
}

/** All of the type, or all that are parked. A single key is not many. */
function AllOfThem(): JSX.Element | null {
  const { type, key } = filter.value;
  if (key !== "" || events.value.length === 0) return null;
  const selection: ParkedSelection = type === "" ? { all: true } : { type };
  return <Deeds selection={selection} which={type === "" ? "all" : `all ${visible(type)}`} disabled={false} />;
}

interface DeedsProps {
  readonly selection: ParkedSelection;
  readonly which: string;
  readonly disabled: boolean;
}

function Deeds({ selection, which, disabled }: DeedsProps): JSX.Element {
  return (
    <span class="deeds">
      <button
        type="button"
        class="small"
        disabled={disabled || isBusy.value}
        onClick={() => request("redrive", selection)}
      >
        Redrive {which}
      </button>
      <button
        type="button"
        class="small quiet"
        disabled={disabled || isBusy.value}
        onClick={() => request("discard", selection)}
      >
        Discard {which}
      </button>
    </span>
  );
}
