// A child process that answers one request at a time.
import { fork } from "node:child_process";
import { once } from "node:events";

export class Child {
  #process;
  #waiting;

  /** @param url the file that it runs, with the options that this process got, such as --cpu-prof */
  constructor(url, { args = [], execArgv = [] } = {}) {
    this.#process = fork(url, args, { execArgv: [...process.execArgv, ...execArgv], serialization: "advanced" });
    this.#process.on("message", (answer) => this.#waiting?.resolve(answer));
    this.#process.on("error", (error) => this.#waiting?.reject(error));
    this.#process.on("exit", (code, signal) => {
      this.#waiting?.reject(new Error(`${url.pathname} ended early (${signal ?? code})`));
    });
  }

  /** @throws Error if the process exits instead of answering */
  ask(message) {
    const answer = this.answer();
    this.#process.send(message);
    return answer;
  }

  /** Its next message, without a request. */
  answer() {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Ends it, and waits until it is gone. It exits by itself once nobody listens, and so can leave a profile behind. */
  async end() {
    this.#waiting = undefined;
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    if (this.#process.connected) this.#process.disconnect();
    await gone;
  }
}
