import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { visible } from "../model/visible-text.ts";
import type { Sign } from "./glyph.tsx";

interface PanelProps {
  /** Of what is opened. */
  readonly id: string;
  /** Its kind: `delivery`. */
  readonly what: string;
  readonly title: string;
  readonly look?: Sign | undefined;
  /** Whether it is being fetched. */
  readonly busy: boolean;
  /** Why it could not be fetched. */
  readonly trouble: string | null;
  /** Whether the panel takes the focus when another thing is opened. */
  readonly takesFocus: () => boolean;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** What was opened from a list. It takes the focus. */
export function Panel(props: PanelProps): JSX.Element {
  const { id, what, title, look, busy, trouble, takesFocus, onClose, children } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  // Only when another thing is opened.
  useEffect(() => {
    if (takesFocus()) heading.current?.focus();
  }, [id]);
  return (
    <section class="panel" data-look={look} aria-labelledby={`${what}-title`} aria-busy={busy}>
      <div class="panel-head">
        <h2 id={`${what}-title`} tabIndex={-1} ref={heading}>
          {title}
        </h2>
        <button
          type="button"
          class="quiet close"
          onClick={onClose}
          aria-label={`Close the ${what}`}
          title="Close (Esc)"
        >
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d="m3.5 3.5 9 9M12.5 3.5l-9 9" class="line" />
          </svg>
        </button>
      </div>
      {trouble !== null && <p class="trouble">{visible(trouble)}</p>}
      {children}
    </section>
  );
}

/** One fact in a list of facts. */
export function Fact(props: { readonly name: string; readonly value: string; readonly mono?: boolean }): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd class={props.mono ? "mono" : undefined}>{props.value}</dd>
    </div>
  );
}
