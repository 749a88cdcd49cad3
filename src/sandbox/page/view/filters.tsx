import type { JSX } from "preact";
import { visible } from "../../../page/model/visible-text.ts";
import { plural } from "../../../page/model/words.ts";
import { Glyph } from "../../../page/view/glyph.tsx";
import { actions } from "../model/actions.ts";
import { EVERYTHING } from "../model/ledger.ts";
import { LOOK_WORDS, LOOKS, type Look } from "../model/words.ts";
import { endpoints, filter, ledger, ledgerVersion, replayable } from "../model/world.ts";
import { SEARCH_ID } from "./element-ids.ts";

/** The filters of the list, with the number of deliveries in each state. */
export function Filters(): JSX.Element {
  ledgerVersion.value;
  const toReplay = replayable.value ?? ledger.counts.parked;
  return (
    <search class="filters" aria-label="Deliveries">
      <StateChips />
      <div class="filter-row">
        <input
          id={SEARCH_ID}
          type="search"
          placeholder="Search"
          aria-label="Type, id or amount"
          autocomplete="off"
          spellcheck={false}
          value={filter.value.text}
          onInput={({ currentTarget }) => {
            filter.value = { ...filter.value, text: currentTarget.value };
          }}
        />
        <EndpointChoice />
        {toReplay > 0 && (
          <button type="button" onClick={() => actions.replayParked()}>
            Replay {toReplay.toLocaleString("en")}
            <span class="unseen-narrow"> parked</span>
          </button>
        )}
      </div>
    </search>
  );
}

/** The other states are shown once there is a delivery in them. */
const ALWAYS: ReadonlySet<Look> = new Set(["parked", "retrying", "sending", "waiting", "delivered"]);

function StateChips(): JSX.Element {
  ledgerVersion.value;
  const looks = LOOKS.filter((look) => ALWAYS.has(look) || ledger.counts[look] > 0 || filter.value.look === look);
  return (
    <fieldset class="chips">
      <legend class="unseen">State</legend>
      <Chip look={null} word="All" count={ledger.size} />
      {looks.map((look) => (
        <Chip key={look} look={look} word={LOOK_WORDS[look]} count={ledger.counts[look]} />
      ))}
    </fieldset>
  );
}

interface ChipProps {
  readonly look: Look | null;
  readonly word: string;
  readonly count: number;
}

function Chip({ look, word, count }: ChipProps): JSX.Element {
  return (
    <button
      type="button"
      class={look === "fooled" ? "chip alarm" : "chip"}
      aria-pressed={filter.value.look === look}
      onClick={() => {
        filter.value = { ...filter.value, look };
      }}
    >
      {look !== null && <Glyph look={look} />}
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

/** Shown in place of the list if no delivery matches the filters. */
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
