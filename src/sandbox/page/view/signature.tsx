import type { JSX } from "preact";
import { visible, visibleBlock } from "../../../page/model/visible-text.ts";
import { Code } from "../../../page/view/copy-button.tsx";
import type { SignatureExplanation } from "../../page-api.ts";

/** How an attempt was signed, step by step. */
export function Signature({ signature }: { readonly signature: SignatureExplanation }): JSX.Element {
  const { scheme, steps, program, genuine } = signature;
  return (
    <>
      <h3>
        Signature <span class="count">{visible(scheme)}</span>
      </h3>
      {!genuine && (
        <p class="trouble">
          This attempt is forged: it is not signed like a genuine one. Your endpoint must refuse it.
        </p>
      )}
      <ol class="steps">
        {steps.map(({ title, text, code }) => (
          <li key={title}>
            <h4>{visible(title)}</h4>
            <p>{visibleBlock(text)}</p>
            {code !== null && <Code code={code} what={title} />}
          </li>
        ))}
      </ol>
      <h4>Compute it yourself</h4>
      <Code code={program} what="the program" />
    </>
  );
}
