import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { dismiss, type Notice, notices } from "../model/notices.ts";

/** How long a notice that is no error stays. The time restarts while the pointer or the focus is on a notice. */
const SHOWN_MS = 7_000;
const TICK_MS = 500;

/**
 * The results of actions, in a strip of their own below the list, so that they cover nothing. The two live regions are always in
 * the document, because a screen reader announces only changes.
 *
 * @param onShow opens what a notice is about
 */
export function Notices({ onShow }: { readonly onShow: (id: string) => void }): JSX.Element {
  const of = (failed: boolean) =>
    notices.value
      .filter(({ kind }) => (kind === "failed") === failed)
      .map((notice) => <NoticeCard key={notice.id} notice={notice} onShow={onShow} />);
  return (
    <div class="notices">
      <div role="alert">{of(true)}</div>
      <div role="status">{of(false)}</div>
    </div>
  );
}

interface CardProps {
  readonly notice: Notice;
  readonly onShow: (id: string) => void;
}

function NoticeCard({ notice, onShow }: CardProps): JSX.Element {
  const { id, kind, text, shows } = notice;
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (kind === "failed") return;
    let leftMs = SHOWN_MS;
    const timer = setInterval(() => {
      const held = card.current?.closest(".notices")?.matches(":hover, :focus-within");
      leftMs = held ? SHOWN_MS : leftMs - TICK_MS;
      if (leftMs <= 0) dismiss(id);
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [id, kind]);
  const show = () => {
    if (shows !== null) onShow(shows);
    dismiss(id);
  };
  return (
    <div ref={card} class={`notice ${kind}`}>
      <p>{text}</p>
      {shows !== null && (
        <button type="button" class="small quiet" onClick={show}>
          Show
        </button>
      )}
      <button type="button" class="small quiet" onClick={() => dismiss(id)} aria-label="Dismiss">
        ✕
      </button>
    </div>
  );
}
