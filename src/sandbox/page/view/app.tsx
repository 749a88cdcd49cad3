import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Help } from "../../../page/view/help.tsx";
import { Notices } from "../../../page/view/notices.tsx";
import { ConnectionNotice } from "../../../page/view/top-bar.tsx";
import { announcement } from "../model/announcement.ts";
import { activeId } from "../model/list-position.ts";
import { open, opened } from "../model/route.ts";
import { ledger, ledgerVersion } from "../model/world.ts";
import { Chart } from "./chart.tsx";
import { DeliveryList } from "./delivery-list.tsx";
import { DeliveryPanel } from "./delivery-panel.tsx";
import { LIST_ID } from "./element-ids.ts";
import { NothingYet } from "./empty.tsx";
import { EndpointsPanel } from "./endpoints-panel.tsx";
import { Filters, NothingMatches } from "./filters.tsx";
import { SandboxBar } from "./sandbox-bar.tsx";
import { SendPanel } from "./send-panel.tsx";
import { SHORTCUTS } from "./shortcuts.ts";
import { Tabs, tab } from "./tabs.tsx";

/** The whole page. */
export function App(): JSX.Element {
  useFocusOnClosing();
  return (
    <div class={`page show-${opened.value === null ? tab.value : "panel"}`}>
      <SandboxBar />
      <ConnectionNotice server="The sandbox" />
      <div class="columns">
        <main>
          <Deliveries />
        </main>
        <aside aria-label="Send and endpoints">
          <SendPanel />
          <EndpointsPanel />
        </aside>
        <DeliveryPanel />
      </div>
      <Notices onShow={open} />
      <Tabs />
      <Help shortcuts={SHORTCUTS}>
        The sandbox plays the provider with made-up events and secrets. It sends events to the registered endpoints and
        keeps them in memory, or in a file with <code>--state</code>. It is not for production.
      </Help>
      <p class="unseen" role="status">
        {announcement}
      </p>
    </div>
  );
}

function Deliveries(): JSX.Element {
  ledgerVersion.value;
  if (ledger.size === 0) return <NothingYet />;
  return (
    <>
      <Chart />
      <Filters />
      {ledger.shown.length === 0 ? <NothingMatches /> : <DeliveryList />}
    </>
  );
}

/** When a delivery closes, the focus goes back to the list, at that delivery. */
function useFocusOnClosing(): void {
  const previous = useRef<string | null>(null);
  const id = opened.value;
  // In a layout effect, so that a focus set after closing is not undone later.
  useLayoutEffect(() => {
    if (id !== null) activeId.value = id;
    else if (previous.current !== null) document.getElementById(LIST_ID)?.focus({ preventScroll: true });
    previous.current = id;
  }, [id]);
}
