import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { visible } from "../../../page/model/visible-text.ts";
import { durationWords, timeWords } from "../../../page/model/words.ts";
import { BodyText } from "../../../page/view/body-text.tsx";
import { Headers } from "../../../page/view/headers.tsx";
import type { AttemptDetail, DeliveryDetail } from "../../page-api.ts";
import { answerWords, type Ending, endingOf } from "../model/words.ts";
import { Signature } from "./signature.tsx";

/** The attempts of a delivery, with the details of one: the last, until another is chosen. */
export function Attempts({ detail }: { readonly detail: DeliveryDetail }): JSX.Element {
  const chosen = useSignal<number | null>(null);
  const { attempts } = detail;
  const at = Math.min(chosen.value ?? attempts.length - 1, attempts.length - 1);
  const attempt = attempts[at];
  return (
    <>
      <h3>{attempts.length === 0 ? "No attempts yet" : "Attempts"}</h3>
      <ol class="attempts">
        {attempts.map((each, index) => (
          <AttemptChoice
            key={each.at}
            attempt={each}
            number={index + 1}
            afterMs={each.at - detail.createdAt}
            slowest={Math.max(...attempts.map(({ latencyMs }) => latencyMs ?? 0))}
            chosen={index === at}
            onChoose={() => {
              chosen.value = index;
            }}
          />
        ))}
      </ol>
      {attempt === undefined ? (
        <BodyText title="Body" body={detail.body} />
      ) : (
        <Exchange key={attempt.at} attempt={attempt} number={at + 1} />
      )}
    </>
  );
}

interface ChoiceProps {
  readonly attempt: AttemptDetail;
  readonly number: number;
  readonly afterMs: number;
  readonly slowest: number;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

const SIGNS: Readonly<Record<Ending, string>> = { accepted: "✓", failed: "✕", open: "→" };

function AttemptChoice({ attempt, number, afterMs, slowest, chosen, onChoose }: ChoiceProps): JSX.Element {
  const ending = endingOf(attempt);
  return (
    <li>
      <button type="button" class={`attempt ${ending}`} aria-pressed={chosen} onClick={onChoose}>
        <span class="number">{number}</span>
        <span class="sign" aria-hidden="true">
          {SIGNS[ending]}
        </span>
        <span class="answer">
          {visible(answerWords(attempt))}
          {attempt.unhandled && <span class="tag">unhandled</span>}
          {attempt.fault !== null && <span class="tag fault">{visible(attempt.fault)}</span>}
        </span>
        <span class="latency" aria-hidden="true">
          <span style={{ width: `${(100 * (attempt.latencyMs ?? 0)) / (slowest || 1)}%` }} />
        </span>
        <span class="muted when">
          {timeWords(attempt.at)} {afterMs >= 1_000 && <span class="after">+{durationWords(afterMs)}</span>}
        </span>
      </button>
    </li>
  );
}

function Exchange({ attempt, number }: { readonly attempt: AttemptDetail; readonly number: number }): JSX.Element {
  const { request, answer, signature } = attempt;
  return (
    <>
      <h3>Answer to attempt {number}</h3>
      <p class={`answer-line ${endingOf(attempt)}`}>{visible(answerWords(attempt))}</p>
      {answer !== null && (
        <>
          <BodyText title="Body of the answer" body={answer.body} />
          <Headers title="Headers of the answer" headers={answer.headers} />
        </>
      )}
      <h3>Request</h3>
      <BodyText title="Body of the request" body={request.body} />
      <Headers title="Headers of the request" headers={request.headers} opened />
      <Signature signature={signature} />
    </>
  );
}
