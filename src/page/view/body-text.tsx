import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { BodyView } from "../body.ts";
import { indentJson } from "../model/json-text.ts";
import { visibleBlock } from "../model/visible-text.ts";
import { plural } from "../model/words.ts";
import { CopyButton } from "./copy-button.tsx";

/** A body, indented if it is JSON. "Raw" shows the text as it came, which is also what is copied. */
export function BodyText({ title, body }: { readonly title: string; readonly body: BodyView }): JSX.Element {
  const raw = useSignal(false);
  const pieces = indentJson(body.text);
  if (body.bytes === 0) return <p class="muted">{title}: empty</p>;
  return (
    <figure class="body">
      <figcaption>
        <span>
          {title} <span class="count">{plural(body.bytes, "byte")}</span>
        </span>
        {pieces !== null && (
          <button
            type="button"
            class="small quiet"
            aria-pressed={raw.value}
            onClick={() => {
              raw.value = !raw.value;
            }}
          >
            Raw
          </button>
        )}
        <CopyButton text={body.text} what={title} />
      </figcaption>
      {body.altered && <p class="muted">This is not exactly what was sent: the body is too long, or not UTF-8.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <pre tabIndex={0}>
        {raw.value || pieces === null
          ? visibleBlock(body.text)
          : pieces.map(({ kind, text }, at) => (
              <span key={at} class={`json-${kind}`}>
                {visibleBlock(text)}
              </span>
            ))}
      </pre>
    </figure>
  );
}
