import { signal } from "@preact/signals";
import type { JSX } from "preact";

/** Which half of the page a narrow screen shows. */
export const tab = signal<"deliveries" | "send">("deliveries");

/** Switches between the halves. Only narrow screens show it. */
export function Tabs(): JSX.Element {
  return (
    <nav class="tabs" aria-label="Parts of the page">
      <Tab name="deliveries" word="Deliveries" />
      <Tab name="send" word="Send and endpoints" />
    </nav>
  );
}

function Tab({ name, word }: { readonly name: typeof tab.value; readonly word: string }): JSX.Element {
  return (
    <button
      type="button"
      aria-current={tab.value === name ? "page" : undefined}
      onClick={() => {
        tab.value = name;
      }}
    >
      {word}
    </button>
  );
}
