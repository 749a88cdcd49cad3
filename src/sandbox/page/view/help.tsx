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
        This sandbox plays the provider on your own machine: made-up events, made-up secrets, everything in memory. It
        is not for production, and nothing of it leaves your machine.
      </p>
      <form method="dialog">
        <button type="submit" class="primary">
          Close
        </button>
      </form>
    </dialog>
  );
}
