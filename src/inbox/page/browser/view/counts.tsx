import type { JSX } from "preact";
import { durationWords } from "../../../../page/model/words.ts";
import { Glyph, type Sign } from "../../../../page/view/glyph.tsx";
import { counts } from "../model/counts.ts";

/** How many events there are in each state. */
export function Counts(): JSX.Element {
  const { waiting, active, delayed, parked, oldestWaitingMs } = counts.value ?? {};
  const oldest = waiting ? `oldest ${durationWords(oldestWaitingMs ?? 0)}` : "ready to run";
  return (
    <section aria-label="Events in each state">
      <dl class="counts">
        <Count sign="waiting" name="Waiting" count={waiting} note={oldest} />
        <Count sign="sending" name="Running" count={active} note="being worked on" />
        <Count sign="retrying" name="Delayed" count={delayed} note="until the next attempt" />
        <Count sign="parked" name="Parked" count={parked} note="failed every attempt" />
      </dl>
    </section>
  );
}

interface CountProps {
  readonly sign: Sign;
  readonly name: string;
  readonly count: number | undefined;
  readonly note: string;
}

function Count({ sign, name, count, note }: CountProps): JSX.Element {
  return (
    <div class={count ? "state" : "state none"}>
      <dt>
        <Glyph look={sign} /> {name}
      </dt>
      <dd>
        <span class="number">{count === undefined ? "–" : count.toLocaleString("en")}</span>
        <span class="muted">{note}</span>
      </dd>
    </div>
  );
}
