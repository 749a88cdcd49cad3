import type { ComponentChildren, JSX } from "preact";
import { keysOn } from "../model/preferences.ts";

const HELP_ID = "help";

/** One line of the help. */
export interface Shortcut {
  readonly keys: readonly string[];
  readonly does: string;
}

interface HelpProps {
  /** All shortcuts of the page. */
  readonly shortcuts: readonly Shortcut[];
  /** What the page is, in a sentence or two. */
  readonly children: ComponentChildren;
}

/** The dialog that lists the keys; Escape closes it, and the focus goes back to where it was. */
export function Help({ shortcuts, children }: HelpProps): JSX.Element {
  return (
    <dialog id={HELP_ID} aria-labelledby="help-title">
      <h2 id="help-title">Keyboard</h2>
      <table>
        <tbody>
          {shortcuts.map(({ keys, does }) => (
            <tr key={does}>
              <th scope="row">
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </th>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <label class="switch">
        <input
          type="checkbox"
          checked={keysOn.value}
          onChange={({ currentTarget }) => {
            keysOn.value = currentTarget.checked;
          }}
        />
        Single-letter shortcuts
      </label>
      <p class="muted">{children}</p>
      <form method="dialog">
        <button type="submit" class="primary">
          Close
        </button>
      </form>
    </dialog>
  );
}

/** Opens the help dialog. */
export function openHelp(): void {
  (document.getElementById(HELP_ID) as HTMLDialogElement).showModal();
}
