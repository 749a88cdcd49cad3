import type { JSX } from "preact";
import { dismiss, type Notice, notices } from "../model/notices.ts";
import { open } from "../model/route.ts";

/** What the buttons have brought about. The two regions are always there, so that they are read out when they fill. */
export function Notices(): JSX.Element {
  const of = (kind: Notice["kind"]) => notices.value.filter((notice) => notice.kind === kind);
  return (
    <div class="notices">
      <div role="status">
        {of("done").map((notice) => (
          <NoticeCard key={notice.id} notice={notice} />
        ))}
      </div>
      <div role="alert">
        {of("failed").map((notice) => (
          <NoticeCard key={notice.id} notice={notice} />
        ))}
      </div>
    </div>
  );
}

function NoticeCard({ notice }: { readonly notice: Notice }): JSX.Element {
  const { id, kind, text, deliveryId } = notice;
  const show = () => {
    if (deliveryId !== null) open(deliveryId);
    dismiss(id);
  };
  return (
    <div class={`notice ${kind}`}>
      <p>{text}</p>
      {deliveryId !== null && (
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
