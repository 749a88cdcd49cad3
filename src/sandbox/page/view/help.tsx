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
        Single letters do something
      </label>
      <p class="muted">
        This sandbox plays the provider: made-up events, made-up secrets. It sends them to the endpoints that were
        registered, wherever those are, and keeps them in memory, or with <code>--state</code> in a file. It is not for
        production.
      </p>
      <form method="dialog">
        <button type="submit" class="primary">
          Close
        </button>
      </form>
    </dialog>
  );
}
