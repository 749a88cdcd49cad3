import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Help } from "../../../../page/view/help.tsx";
import { Notices } from "../../../../page/view/notices.tsx";
import { ConnectionNotice, TopBar } from "../../../../page/view/top-bar.tsx";
import { announcement, engine, inboxIsAway } from "../model/counts.ts";
import { open, opened } from "../model/route.ts";
import { Confirm } from "./confirm.tsx";
import { Counts } from "./counts.tsx";
import { EventPanel } from "./event-panel.tsx";
import { ParkedEvents } from "./parked-events.tsx";
import { focusRow } from "./row.tsx";
import { SHORTCUTS } from "./shortcuts.ts";

/** The whole page. */
export function App(): JSX.Element {
  useFocusOnClosing();
  return (
    <div class={opened.value === null ? "page" : "page show-panel"}>
      <TopBar name="inbox">
        {engine.value !== "" && (
          <span class="scheme muted">
            on <span class="mono">{engine.value}</span>
          </span>
        )}
      </TopBar>
      <ConnectionNotice server="The server" />
      <div role="alert" class="connection-notice">
        {inboxIsAway.value && <p>The inbox does not answer. The counts may be out of date.</p>}
      </div>
      <div class="columns">
        <main>
          <Counts />
          <ParkedEvents />
        </main>
        <EventPanel />
      </div>
      <Notices onShow={open} />
      <Confirm />
      <Help shortcuts={SHORTCUTS}>
        Accepted events wait here until their handlers have succeeded. An event whose attempts have all failed is
        parked: it runs again only if you redrive it.
      </Help>
      <p class="unseen" role="status">
        {announcement}
      </p>
    </div>
  );
}

/** When an event closes, the focus goes back to its row. */
function useFocusOnClosing(): void {
  const previous = useRef<string | null>(null);
  const key = opened.value;
  useLayoutEffect(() => {
    if (key === null && previous.current !== null) focusRow(previous.current);
    previous.current = key;
  }, [key]);
}
