import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { dayAndTimeWords, durationWords, plural, timeWords } from "../../../page/model/words.ts";
import type { Column } from "../model/outcomes.ts";
import { OUTCOMES, type Outcome } from "../model/words.ts";
import { ledger, ledgerVersion } from "../model/world.ts";

const HEIGHT = 64;

const WORDS: Readonly<Record<Outcome, string>> = {
  delivered: "delivered",
  unhandled: "acknowledged, unhandled",
  closed: "refused, failed or replayed",
  retrying: "retrying",
  parked: "parked",
  fooled: "accepted though forged",
  open: "waiting or sending",
};

/** The share of a column's width. Width, outline and stripes distinguish the outcomes without colour. */
const BREADTHS: Readonly<Record<Outcome, number>> = {
  delivered: 0.76,
  unhandled: 0.7,
  closed: 0.2,
  retrying: 0.7,
  parked: 0.4,
  fooled: 0.92,
  open: 0.5,
};

/** The deliveries by outcome over time: a drawing with a legend, and the figures as a table. */
export function Chart(): JSX.Element | null {
  ledgerVersion.value;
  const asTable = useSignal(false);
  const columns = ledger.outcomes.columns();
  if (columns.length === 0) return null;
  return (
    <section class="chart" aria-labelledby="chart-title">
      <div class="chart-head">
        <h2 id="chart-title">Deliveries by outcome</h2>
        <span class="muted">a column is {durationWords(ledger.outcomes.widthMs)}</span>
        <button
          type="button"
          class="small quiet"
          aria-pressed={asTable.value}
          onClick={() => {
            asTable.value = !asTable.value;
          }}
        >
          Figures
        </button>
      </div>
      {asTable.value ? <Figures columns={columns} /> : <Drawing columns={columns} />}
    </section>
  );
}

function Drawing({ columns }: { readonly columns: readonly Column[] }): JSX.Element {
  const highest = Math.max(...columns.map(totalOf));
  return (
    <>
      <svg
        class="bars"
        viewBox={`0 0 ${columns.length} ${HEIGHT}`}
        height={HEIGHT}
        preserveAspectRatio="none"
        role="img"
        aria-label={summaryOf(columns)}
      >
        <defs>
          <pattern id="stripes" width="1" height="4" patternUnits="userSpaceOnUse">
            <rect width="1" height="2.4" class="stripe" />
          </pattern>
        </defs>
        {columns.map((column, at) => (
          <Bar key={column.start} column={column} at={at} scale={HEIGHT / highest} />
        ))}
      </svg>
      <div class="chart-foot muted" aria-hidden="true">
        <span>{timeWords(columns[0]?.start ?? 0)}</span>
        <span>at most {highest.toLocaleString("en")}</span>
        <span>{timeWords(columns.at(-1)?.start ?? 0)}</span>
      </div>
      <Legend outcomes={present(columns)} />
    </>
  );
}

function Legend({ outcomes }: { readonly outcomes: readonly Outcome[] }): JSX.Element {
  return (
    <ul class="legend muted" aria-label="Legend">
      {outcomes.map((outcome) => (
        <li key={outcome}>
          <svg viewBox="-7 0 14 13" width="14" height="13" aria-hidden="true">
            <rect
              x={-7 * BREADTHS[outcome]}
              y="1"
              width={14 * BREADTHS[outcome]}
              height="11"
              class={`bar ${outcome}`}
            />
          </svg>
          {WORDS[outcome]}
        </li>
      ))}
    </ul>
  );
}

function Bar(props: { readonly column: Column; readonly at: number; readonly scale: number }): JSX.Element {
  const { column, at, scale } = props;
  let top = HEIGHT;
  return (
    <g>
      <title>{`${timeWords(column.start)}: ${countsOf(column) || "none"}`}</title>
      <rect x={at} y="0" width="1" height={HEIGHT} class="hit" />
      {OUTCOMES.map((outcome) => {
        const count = column.counts[outcome];
        if (count === 0) return null;
        const height = Math.max(2, count * scale);
        top -= height;
        return (
          <rect
            key={outcome}
            x={at + 0.5 - BREADTHS[outcome] / 2}
            y={top + 0.5}
            width={BREADTHS[outcome]}
            height={Math.max(1, height - 1.5)}
            class={`bar ${outcome}`}
          />
        );
      })}
    </g>
  );
}

function Figures({ columns }: { readonly columns: readonly Column[] }): JSX.Element {
  const outcomes = present(columns);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="figures" tabIndex={0} aria-label="Figures of the chart">
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            {outcomes.map((outcome) => (
              <th key={outcome} scope="col">
                {WORDS[outcome]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {columns
            .filter((column) => totalOf(column) > 0)
            .map((column) => (
              <tr key={column.start}>
                <th scope="row">{dayAndTimeWords(column.start)}</th>
                {outcomes.map((outcome) => (
                  <td key={outcome}>{column.counts[outcome]}</td>
                ))}
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  );
}

function totalOf({ counts }: Column): number {
  return OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}

function countsOf({ counts }: Column): string {
  return OUTCOMES.filter((outcome) => counts[outcome] > 0)
    .map((outcome) => `${counts[outcome]} ${WORDS[outcome]}`)
    .join(", ");
}

function summaryOf(columns: readonly Column[]): string {
  const sums = present(columns).map((outcome) => `${sumOf(columns, outcome)} ${WORDS[outcome]}`);
  const total = columns.reduce((sum, column) => sum + totalOf(column), 0);
  const from = timeWords(columns[0]?.start ?? 0);
  const to = timeWords(columns.at(-1)?.start ?? 0);
  return `${plural(total, "delivery", "deliveries")} from ${from} to ${to}: ${sums.join(", ")}.`;
}

/** The outcomes that occur. */
function present(columns: readonly Column[]): Outcome[] {
  return OUTCOMES.filter((outcome) => sumOf(columns, outcome) > 0);
}

function sumOf(columns: readonly Column[], outcome: Outcome): number {
  return columns.reduce((sum, { counts }) => sum + counts[outcome], 0);
}
