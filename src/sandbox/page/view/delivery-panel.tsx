import type { JSX } from "preact";
import { visible } from "../../../page/model/visible-text.ts";
import { dayAndTimeWords } from "../../../page/model/words.ts";
import { Glyph } from "../../../page/view/glyph.tsx";
import { Fact, Panel } from "../../../page/view/panel.tsx";
import type { DeliveryDetail } from "../../page-api.ts";
import { openedDelivery } from "../model/opened-delivery.ts";
import { close, walkedTo } from "../model/route.ts";
import { type Look, lookOf, ORIGIN_WORDS, standingOf } from "../model/words.ts";
import { endpointName } from "../model/world.ts";
import { Attempts } from "./attempts.tsx";
import { Countdown, WallCountdown } from "./countdown.tsx";
import { DeliveryActions } from "./delivery-actions.tsx";

/** The opened delivery. */
export function DeliveryPanel(): JSX.Element | null {
  const opened = openedDelivery.value;
  if (opened === null) return null;
  const { id, detail, trouble } = opened;
  return (
    <Panel
      id={id}
      what="delivery"
      title={detail === null ? "Delivery" : visible(detail.type)}
      look={detail === null ? undefined : lookOf(detail)}
      busy={detail === null && trouble === null}
      trouble={trouble}
      takesFocus={() => !walkedTo.peek()}
      onClose={close}
    >
      {detail !== null && <Opened key={detail.id} detail={detail} />}
    </Panel>
  );
}

function Opened({ detail }: { readonly detail: DeliveryDetail }): JSX.Element {
  return (
    <>
      <Standing detail={detail} />
      <dl class="facts">
        <Fact name="To" value={visible(endpointName(detail.endpointId))} />
        <Fact name="Created" value={dayAndTimeWords(detail.createdAt)} />
        <Fact name="Origin" value={ORIGIN_WORDS[detail.origin]} />
        {detail.resourceId !== undefined && <Fact name="Resource" value={visible(detail.resourceId)} mono />}
        {detail.amount !== undefined && <Fact name="Amount" value={visible(detail.amount)} />}
        <Fact name="Event" value={visible(detail.eventId)} mono />
        <Fact name="Delivery" value={visible(detail.id)} mono />
      </dl>
      <DeliveryActions id={detail.id} />
      <Attempts detail={detail} />
    </>
  );
}

function Standing({ detail }: { readonly detail: DeliveryDetail }): JSX.Element {
  const { look, word, note } = standingOf(detail);
  const { nextAttemptAt } = detail;
  return (
    <div class={`standing look-${look}`}>
      <Glyph look={look} />
      <div>
        <p class="standing-word">
          <strong>{word}</strong>{" "}
          {nextAttemptAt === null ? (
            visible(note)
          ) : (
            <>
              attempt {detail.attempts.length + 1} <Countdown to={nextAttemptAt} />
            </>
          )}
        </p>
        <p class="muted">
          {nextAttemptAt !== null && <WallCountdown to={nextAttemptAt} />}
          {nextAttemptAt === null && MEANINGS[look]}
        </p>
      </div>
    </div>
  );
}

const MEANINGS: Readonly<Record<Look, string>> = {
  waiting: "It is sent when its turn comes.",
  sending: "The request is on its way.",
  retrying: "It is sent again.",
  unhandled: "Your endpoint acknowledged the event, but no handler matched it: nothing ran. It is not sent again.",
  delivered: "Your endpoint acknowledged the event. It is not sent again.",
  parked: "It is not sent again, unless you replay it.",
  replayed: "It was replayed. The replay is in the list.",
  failed: "It failed. Copies and forgeries are sent once.",
  refused: "Your endpoint refused a forgery, as it should.",
  fooled: "Your endpoint accepted a forgery. It must verify the signature.",
};
