import type { Receiver } from "../../../src/index.ts";
import type { Endpoint } from "./sender.ts";
import { isSuccess, type Member } from "./trial.ts";

/** A member whose receiver runs its handlers and answers: the work is a handler for every event. */
export function handlerMember(
  name: string,
  overSockets: boolean,
  serve: (receiver: Receiver) => Promise<Endpoint>,
): Member {
  return {
    name,
    overSockets,
    appAnswers: false,
    start(receiver, work) {
      receiver.on("*", async (event, context) => {
        const status = await work(event, context);
        if (!isSuccess({ status, headers: {}, body: "" })) throw new Error(`the work returned ${status}`);
      });
      return serve(receiver);
    },
  };
}
