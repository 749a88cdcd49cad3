import type { JSX } from "preact";
import type { DeliveryState } from "../../page-api.ts";
import { actions } from "../model/actions.ts";
import { EVERYTHING } from "../model/ledger.ts";
import { visible } from "../model/visible-text.ts";
import { plural, STATE_WORDS } from "../model/words.ts";
import { endpoints, filter, ledger, ledgerVersion } from "../model/world.ts";
import { SEARCH_ID } from "./element-ids.ts";
import { Glyph } from "./glyph.tsx";

/** What the list is narrowed to, and how many deliveries are in each state. */
export function Filters(): JSX.Element {
  ledgerVersion.value;
  const { parked } = ledger.counts;
  return (
    <search class="filters" aria-label="Deliveries">
      <StateChips />
      <div class="filter-row">
        <input
          id={SEARCH_ID}
          type="search"
          placeholder="Search"
          aria-label="Type or event id"
          autocomplete="off"
          spellcheck={false}
          value={filter.value.text}
          onInput={({ currentTarget }) => {
            filter.value = { ...filter.value, text: currentTarget.value };
          }}
        />
        <EndpointChoice />
        {parked > 0 && (
          <button type="button" onClick={() => actions.replayParked()}>
            Replay {parked.toLocaleString("en")}
            <span class="unseen-narrow"> parked</span>
          </button>
        )}
      </div>
    </search>
  );
}

function StateChips(): JSX.Element {
  const states = Object.keys(STATE_WORDS) as DeliveryState[];
  return (
    <fieldset class="chips">
      <legend class="unseen">State</legend>
      <Chip state={null} word="All" count={ledger.size} />
      {states.map((state) => (
        <Chip key={state} state={state} word={STATE_WORDS[state]} count={ledger.counts[state]} />
      ))}
    </fieldset>
  );
}

interface ChipProps {
  readonly state: DeliveryState | null;
  readonly word: string;
  readonly count: number;
}

function Chip({ state, word, count }: ChipProps): JSX.Element {
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={filter.value.state === state}
      onClick={() => {
        filter.value = { ...filter.value, state };
      }}
    >
      {state !== null && <Glyph look={state} />}
      {word} <span class="count">{count.toLocaleString("en")}</span>
    </button>
  );
}

function EndpointChoice(): JSX.Element {
  return (
    <select
      aria-label="Endpoint"
      value={filter.value.endpointId ?? ""}
      onChange={({ currentTarget }) => {
        filter.value = { ...filter.value, endpointId: currentTarget.value || null };
      }}
    >
      <option value="">Every endpoint</option>
      {endpoints.value.map(({ id, name }) => (
        <option key={id} value={id}>
          {visible(name)}
        </option>
      ))}
    </select>
  );
}

/** What stands in the list's place where the filter lets nothing through. */
export function NothingMatches(): JSX.Element {
  return (
    <div class="empty">
      <h2>No delivery matches</h2>
      <p class="muted">{plural(ledger.size, "delivery is", "deliveries are")} hidden by the filter.</p>
      <button
        type="button"
        onClick={() => {
          filter.value = EVERYTHING;
        }}
      >
        Show all
      </button>
    </div>
  );
}
