import type { JSX } from "preact";

/** Each state has its own shape, so that no state is shown by colour alone. An unhandled event is hollow. */
const SHAPES = {
  waiting: <circle cx="8" cy="8" r="5.5" class="line dashed" />,
  sending: <path d="M3 8h9M8.5 4.2 12.3 8l-3.8 3.8" class="line" />,
  retrying: <path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.2v3h-3" class="line" />,
  delivered: (
    <>
      <circle cx="8" cy="8" r="7" class="solid" />
      <path d="m4.8 8.3 2.2 2.2 4.2-4.6" class="cut" />
    </>
  ),
  unhandled: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line" />
      <path d="m5.3 8.2 1.9 1.9 3.5-4" class="line" />
    </>
  ),
  parked: (
    <>
      <rect x="1.5" y="1.5" width="13" height="13" rx="3" class="solid" />
      <path d="M6 5v6M10 5v6" class="cut" />
    </>
  ),
  refused: (
    <>
      <path d="M8 1 14 3.2v4.3c0 3.6-2.5 6.2-6 7.5-3.5-1.3-6-3.9-6-7.5V3.2Z" class="solid" />
      <path d="m5.2 8 2 2 3.6-4" class="cut" />
    </>
  ),
  replayed: (
    <>
      <rect x="2" y="2" width="12" height="12" rx="3" class="line" />
      <path d="M5 8h5.5M8.2 5.5 10.7 8l-2.5 2.5" class="line" />
    </>
  ),
  failed: <path d="m4 4 8 8M12 4l-8 8" class="line" />,
  fooled: (
    <>
      <path d="M8 1.2 15.2 14.5H.8Z" class="solid" />
      <path d="M8 6v4M8 12v.4" class="cut" />
    </>
  ),
} satisfies Readonly<Record<string, JSX.Element>>;

/** A state that has a sign. */
export type Sign = keyof typeof SHAPES;

/** The sign of a state. Its word is always next to it. */
export function Glyph({ look }: { readonly look: Sign }): JSX.Element {
  return (
    <svg class={`glyph look-${look}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {SHAPES[look]}
    </svg>
  );
}
