import type { JSX } from "preact";
import { types } from "../model/counts.ts";
import { applyDraft, draft, EVERYTHING, filter, show } from "../model/parked.ts";
import { TYPE_ID } from "./element-ids.ts";

/** The filters of the list. They apply on Enter, or when a field is left. */
export function Filters(): JSX.Element {
  return (
    <search class="filters" aria-label="Parked events">
      <form
        class="filter-row"
        onSubmit={(event) => {
          event.preventDefault();
          applyDraft();
        }}
        onChange={applyDraft}
      >
        <Field id={TYPE_ID} name="type" label="Type" example="order.filled" />
        <Field id="key" name="key" label="Key" example="orders-api/order.filled/ord_1" />
        <datalist id="types">
          {types.value.map((type) => (
            <option key={type} value={type} />
          ))}
        </datalist>
        <button type="submit" class="unseen" tabIndex={-1}>
          Filter
        </button>
        {filter.value !== EVERYTHING && (
          <button type="button" onClick={() => show(EVERYTHING)}>
            Show all
          </button>
        )}
      </form>
    </search>
  );
}

interface FieldProps {
  readonly id: string;
  readonly name: "type" | "key";
  readonly label: string;
  readonly example: string;
}

function Field({ id, name, label, example }: FieldProps): JSX.Element {
  return (
    <label for={id}>
      <span>{label}</span>
      <input
        id={id}
        name={name}
        type="search"
        list={name === "type" ? "types" : undefined}
        placeholder={example}
        autocomplete="off"
        spellcheck={false}
        maxLength={1_024}
        value={draft.value[name]}
        onInput={({ currentTarget }) => {
          draft.value = { ...draft.value, [name]: currentTarget.value };
        }}
      />
    </label>
  );
}
