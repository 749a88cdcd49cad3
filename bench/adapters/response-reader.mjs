// Parses just enough HTTP to find the end of an answer. No pipelining: all data belongs to one answer.

export class ResponseReader {
  #text = "";
  #onAnswer;

  /** @param onAnswer called with the status of each complete answer */
  constructor(onAnswer) {
    this.#onAnswer = onAnswer;
  }

  take(bytes) {
    this.#text += bytes.latin1Slice();
    const headEnd = this.#text.indexOf("\r\n\r\n");
    if (headEnd < 0 || !this.#isComplete(headEnd)) return;
    const status = Number(this.#text.slice(9, 12));
    this.#text = "";
    this.#onAnswer(status);
  }

  #isComplete(headEnd) {
    const head = this.#text.slice(0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) return this.#text.length >= headEnd + 4 + Number(length);
    return !/\r\ntransfer-encoding: *chunked/i.test(head) || this.#text.endsWith("0\r\n\r\n");
  }
}
