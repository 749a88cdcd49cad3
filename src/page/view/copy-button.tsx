import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { reportError } from "../model/notices.ts";
import { visible, visibleBlock } from "../model/visible-text.ts";

const SAID_MS = 1_600;

/** Copies a text, and then shows "Copied". */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): JSX.Element {
  const copied = useSignal(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      copied.value = true;
      setTimeout(() => {
        copied.value = false;
      }, SAID_MS);
    } catch {
      reportError("The browser did not let the page copy. Select the text, and copy it by hand.");
    }
  };
  return (
    <button type="button" class="small quiet copy" onClick={copy}>
      <span aria-live="polite">{copied.value ? "Copied" : "Copy"}</span>
      <span class="unseen"> {visible(what)}</span>
    </button>
  );
}

/** A block of code with a button that copies it unchanged, invisible characters included. */
export function Code({ code, what }: { readonly code: string; readonly what: string }): JSX.Element {
  return (
    <div class="code">
      <pre>{visibleBlock(code)}</pre>
      <CopyButton text={code} what={what} />
    </div>
  );
}
