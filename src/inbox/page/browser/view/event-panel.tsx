import type { JSX } from "preact";
import { visible, visibleBlock } from "../../../../page/model/visible-text.ts";
import { dayAndTimeWords, plural } from "../../../../page/model/words.ts";
import { BodyText } from "../../../../page/view/body-text.tsx";
import { Code } from "../../../../page/view/copy-button.tsx";
import { Glyph } from "../../../../page/view/glyph.tsx";
import { Headers } from "../../../../page/view/headers.tsx";
import { Fact, Panel } from "../../../../page/view/panel.tsx";
import type { EventDetail, MessageDetail } from "../../api.ts";
import { isBusy, request } from "../model/actions.ts";
import { openedEvent } from "../model/opened-event.ts";
import { close, walkedTo } from "../model/route.ts";

/** The opened event. */
export function EventPanel(): JSX.Element | null {
  const opened = openedEvent.value;
  if (opened === null) return null;
  const { key, detail, trouble } = opened;
  return (
    <Panel
      id={key}
      what="event"
      title={detail === null ? "Event" : visible(detail.type)}
      busy={detail === null && trouble === null}
      trouble={trouble}
      takesFocus={() => !walkedTo.peek()}
      onClose={close}
    >
      {detail !== null && <Opened key={key} detail={detail} />}
    </Panel>
  );
}

function Opened({ detail }: { readonly detail: EventDetail }): JSX.Element {
  const { error, message } = detail;
  return (
    <>
      <div class="standing look-parked">
        <Glyph look="parked" />
        <div>
          <p class="standing-word">
            <strong>Parked</strong> after {plural(detail.attempts, "attempt")}
          </p>
          <p class="muted">It runs again only if you redrive it, then with its attempts counted from 1 again.</p>
        </div>
      </div>
      <Facts detail={detail} />
      <Deeds keyOfEvent={detail.key} />
      <h3>Error of the last attempt</h3>
      <p class="failure">{visibleBlock(error.message)}</p>
      {error.stack !== undefined && <Code code={error.stack} what="the stack" />}
      {message === null ? (
        <p class="trouble">The stored message cannot be read any more.</p>
      ) : (
        <Message message={message} />
      )}
    </>
  );
}

function Facts({ detail: { key, id, parkedAt, message } }: { readonly detail: EventDetail }): JSX.Element {
  return (
    <dl class="facts">
      <Fact name="Parked" value={dayAndTimeWords(parkedAt)} />
      {message !== null && <Fact name="Received" value={dayAndTimeWords(message.receivedAt)} />}
      <Fact name="Event" value={visible(id)} mono />
      <Fact name="Key" value={visible(key)} mono />
      {message !== null && <Fact name="Identified by" value={visible(message.identifiedBy)} />}
      {message?.orderingKey != null && <Fact name="Ordering key" value={visible(message.orderingKey)} mono />}
      {message?.traceparent != null && <Fact name="Trace" value={visible(message.traceparent)} mono />}
    </dl>
  );
}

function Deeds({ keyOfEvent }: { readonly keyOfEvent: string }): JSX.Element {
  const selection = { keys: [keyOfEvent] };
  return (
    <fieldset class="actions">
      <legend class="unseen">Do something with this event</legend>
      <button
        type="button"
        class="primary"
        title="Let it wait again (r)"
        disabled={isBusy.value}
        onClick={() => request("redrive", selection)}
      >
        Redrive
      </button>
      <button
        type="button"
        title="Delete it for good (d)"
        disabled={isBusy.value}
        onClick={() => request("discard", selection)}
      >
        Discard
      </button>
    </fieldset>
  );
}

function Message({ message: { payload, masked, headers } }: { readonly message: MessageDetail }): JSX.Element {
  return (
    <>
      <h3>Payload</h3>
      {masked && payload !== null && <p class="muted">It is shown as this app masks it.</p>}
      {payload === null ? (
        <p class="trouble">Nothing of it is shown: this app's mask failed, or gave nothing.</p>
      ) : (
        <BodyText title="Payload" body={payload} />
      )}
      <Headers title="Headers of the delivery" headers={headers} />
    </>
  );
}
