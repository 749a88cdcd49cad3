import type { JSX } from "preact";
import { keysOn } from "../model/preferences.ts";
import { HELP_ID } from "./element-ids.ts";
import { SHORTCUTS } from "./shortcuts.ts";

/** The dialog that lists the keys; Escape closes it, and the focus goes back to where it was. */
export function Help(): JSX.Element {
  return (
    <dialog id={HELP_ID} aria-labelledby="help-title">
      <h2 id="help-title">Keyboard</h2>
      <table>
        <tbody>
          {SHORTCUTS.map(({ keys, does }) => (
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
      <p class="muted">
        The sandbox plays the provider with made-up events and secrets. It sends events to the registered endpoints and
        keeps them in memory, or in a file with <code>--state</code>. It is not for production.
      </p>
      <form method="dialog">
        <button type="submit" class="primary">
          Close
        </button>
      </form>
    </dialog>
  );
}
