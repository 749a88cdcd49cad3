import type { JSX } from "preact";
import { visible } from "../model/visible-text.ts";

interface HeadersProps {
  readonly title: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly opened?: boolean;
}

/** Headers as they were sent, in their order. */
export function Headers({ title, headers, opened = false }: HeadersProps): JSX.Element {
  return (
    <details class="headers" open={opened}>
      <summary>
        {title} <span class="count">{headers.length}</span>
      </summary>
      <table>
        <tbody>
          {headers.map(([name, value], at) => (
            <tr key={at}>
              <th scope="row">{visible(name)}</th>
              <td>{visible(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
