/** A call of a page that is refused, with its status and code. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The refusal of a body that could not be read as JSON. */
export function refusedBody(code: "not_json" | "too_large"): Refused {
  const [status, message] = code === "too_large" ? [413, "too large"] : [400, "not a JSON object"];
  return new Refused(status as number, code, `The body is ${message}.`);
}
