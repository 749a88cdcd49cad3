import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { DeliveryDetail } from "../../page-api.ts";
import { openedDelivery } from "../model/opened-delivery.ts";
import { close, walkedTo } from "../model/route.ts";
import { visible } from "../model/visible-text.ts";
import { dayAndTimeWords, type Look, lookOf, ORIGIN_WORDS, standingOf } from "../model/words.ts";
import { endpointName } from "../model/world.ts";
import { Attempts } from "./attempts.tsx";
import { Countdown, WallCountdown } from "./countdown.tsx";
import { DeliveryActions } from "./delivery-actions.tsx";
import { Glyph } from "./glyph.tsx";

/** The opened delivery. It takes the focus; {@link close} returns it to the list. */
export function DeliveryPanel(): JSX.Element | null {
  const opened = openedDelivery.value;
  const heading = useRef<HTMLHeadingElement>(null);
  const id = opened?.id;
  useEffect(() => {
    if (id !== undefined && !walkedTo.peek()) heading.current?.focus();
  }, [id]);
  if (opened === null) return null;
  const { detail, trouble } = opened;
  return (
    <section
      class="delivery"
      data-look={detail === null ? undefined : lookOf(detail)}
      aria-labelledby="delivery-title"
      aria-busy={detail === null && trouble === null}
    >
      <div class="delivery-head">
        <h2 id="delivery-title" tabIndex={-1} ref={heading}>
          {detail === null ? "Delivery" : visible(detail.type)}
        </h2>
        <button type="button" class="quiet close" onClick={close} aria-label="Close the delivery" title="Close (Esc)">
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d="m3.5 3.5 9 9M12.5 3.5l-9 9" class="line" />
          </svg>
        </button>
      </div>
      {trouble !== null && <p class="trouble">{visible(trouble)}</p>}
      {detail !== null && <Opened key={detail.id} detail={detail} />}
    </section>
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

function Fact(props: { readonly name: string; readonly value: string; readonly mono?: boolean }): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd class={props.mono ? "mono" : undefined}>{props.value}</dd>
    </div>
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
