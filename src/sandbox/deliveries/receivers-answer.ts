/** What the answer of a receiver of this package says in its body. Nothing is set for another app's answer. */
export interface ReceiversAnswer {
  /** The error code. */
  readonly code: string | undefined;
  /** Whether the receiver acknowledges the event. */
  readonly received: boolean;
  /** Whether the event was processed before. */
  readonly duplicate: boolean;
  /** Whether no handler matches the event, which is then not remembered. */
  readonly unhandled: boolean;
}

/** The longest body to read: a receiver's answers are far shorter. */
export const RECEIVERS_ANSWER_CHARACTERS = 4_096;

/** Reads the body of an answer. */
export function receiversAnswer(body: string): ReceiversAnswer {
  const { error, received, duplicate, unhandled } = parsed(body);
  return {
    code: typeof error?.code === "string" ? error.code.slice(0, 64) : undefined,
    received: received === true,
    duplicate: duplicate === true,
    unhandled: received === true && unhandled === true,
  };
}

interface Fields {
  readonly error?: { readonly code?: unknown } | null;
  readonly received?: unknown;
  readonly duplicate?: unknown;
  readonly unhandled?: unknown;
}

function parsed(body: string): Fields {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}
