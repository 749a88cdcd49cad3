import type { JSX } from "preact";
import { visible } from "../../../page/model/visible-text.ts";
import { plural, timeWords } from "../../../page/model/words.ts";
import { Glyph } from "../../../page/view/glyph.tsx";
import type { DeliverySummary } from "../../page-api.ts";
import { ORIGIN_WORDS, standingOf } from "../model/words.ts";
import { endpointName } from "../model/world.ts";
import { Countdown } from "./countdown.tsx";
import { TimeLine } from "./time-line.tsx";

/** One delivery and its place in the list. */
export interface RowProps {
  readonly delivery: DeliverySummary;
  readonly row: number;
  readonly rows: number;
  readonly top: number;
  readonly active: boolean;
  readonly opened: boolean;
  readonly onOpen: (id: string) => void;
}

export function Row({ delivery, row, rows, top, active, opened, onOpen }: RowProps): JSX.Element {
  const standing = standingOf(delivery);
  const endpoint = visible(endpointName(delivery.endpointId));
  return (
    // biome-ignore lint/a11y: the keys are the list's own; an option of a list that is virtual cannot be a native one
    <div
      role="option"
      id={rowId(delivery.id)}
      class={active ? "row active" : "row"}
      data-look={standing.look}
      aria-selected={opened}
      aria-setsize={rows}
      aria-posinset={row + 1}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onOpen(delivery.id)}
    >
      <Glyph look={standing.look} />
      <span class="row-name">
        <span class="type">{visible(delivery.type)}</span>
        {delivery.origin !== "event" && <span class={`tag ${delivery.origin}`}>{ORIGIN_WORDS[delivery.origin]}</span>}
      </span>
      <span class="row-way">
        {timeWords(delivery.createdAt)} <span class="to">to</span> {endpoint}
      </span>
      <span class="row-resource">
        <span class="mono">{visible(delivery.resourceId ?? "")}</span>
        <span>{visible(delivery.amount ?? "")}</span>
      </span>
      <TimeLine delivery={delivery} />
      <span class="unseen">{plural(delivery.attempts.length, "attempt")}</span>
      <span class="row-state">
        <span class={`word look-${standing.look}`}>{standing.word}</span>
        <span class="note">
          {delivery.nextAttemptAt === null ? visible(standing.note) : <Countdown to={delivery.nextAttemptAt} />}
        </span>
      </span>
    </div>
  );
}

/** The element of a delivery's row. */
export function rowId(deliveryId: string): string {
  return `row-${deliveryId}`;
}
