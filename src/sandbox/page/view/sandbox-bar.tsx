import type { JSX } from "preact";
import { TopBar } from "../../../page/view/top-bar.tsx";
import { surroundings } from "../model/world.ts";
import { SandboxClock } from "./countdown.tsx";

/** The top bar, with the sandbox's signature scheme and clock. */
export function SandboxBar(): JSX.Element {
  return (
    <TopBar name="sandbox" badge={<strong class="badge">Not for production</strong>}>
      {surroundings.value !== null && (
        <span class="scheme muted" title={surroundings.value.scheme}>
          signs as <span class="mono">{surroundings.value.scheme}</span>
        </span>
      )}
      <SandboxClock />
    </TopBar>
  );
}
