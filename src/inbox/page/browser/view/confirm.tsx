import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { plural } from "../../../../page/model/words.ts";
import { carryOut, type Question, question } from "../model/actions.ts";
import { counts } from "../model/counts.ts";

const MEANINGS = {
  discard: "They are deleted for good. The provider does not send them again.",
  redrive:
    "They wait again, each with its attempts counted from 1 again. Handlers that have succeeded do not run again.",
} as const;

const VERBS = { discard: "Discard", redrive: "Redrive" } as const;

/** Asks before much is redriven, and before anything is discarded. Escape is no. */
export function Confirm(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const asked = question.value;
  useEffect(() => {
    if (asked !== null) dialog.current?.showModal();
  }, [asked]);
  const end = () => {
    question.value = null;
  };
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title" onClose={end}>
      {asked !== null && <Asked asked={asked} />}
    </dialog>
  );
}

function Asked({ asked: { deed, selection, which } }: { readonly asked: Question }): JSX.Element {
  return (
    <form method="dialog" onSubmit={({ submitter }) => answer(submitter)}>
      <h2 id="confirm-title">
        {VERBS[deed]} {which}?
      </h2>
      {"all" in selection && <p>{plural(counts.value?.parked ?? 0, "event is", "events are")} parked now.</p>}
      <p>{MEANINGS[deed]}</p>
      <div class="buttons">
        {/* The harmless answer is the first: a dialog gives it the focus. */}
        <button type="submit">Cancel</button>
        <button type="submit" value="yes" class={deed === "discard" ? "primary danger" : "primary"}>
          {VERBS[deed]}
        </button>
      </div>
    </form>
  );

  function answer(submitter: HTMLElement | null): void {
    if ((submitter as HTMLButtonElement | null)?.value === "yes") void carryOut(deed, selection);
  }
}
