import type { InboxMessage } from "../../inbox/message.ts";
import { holds, same } from "../same.ts";
import { sameMessage } from "./messages.ts";
import type { InboxStatements, InboxTrial } from "./trial.ts";

const ODD_CHARACTERS =
  "\u0001\b\t\n\r\u001f\"'\\/`$${}\u007f\u0080é\u00a0ß\u2028\u2029\ufeff\ufffd\uffff漢字 🙂👩‍👩‍👧 e\u0301 \\u0000 \\n %s ?1 :a";

/** What is read from an inbox is what was added. */
export const keeping: InboxStatements = {
  "every field of a message is kept": async (trial) => {
    const headers = { "content-type": "application/json", "x-empty": "", "x-quoted": '"a", \\b', constructor: "a" };
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const trace = { traceparent, tracestate: "vendor=a1,other@tenant=b c" };
    await isKept(trial, { headers, ...trace, orderingKey: "account 1", secretIndex: 1, identifiedBy: "body_hash" });
  },

  "a message without optional fields is kept": async (trial) => {
    await isKept(trial, {});
  },

  "a body of 1 MiB is kept": async (trial) => {
    await isKept(trial, { body: `{"data":"${"0123456789abcdef".repeat(2 ** 16)}"}` });
  },

  "odd characters are kept": async (trial) => {
    await isKept(trial, {
      ...{ body: ODD_CHARACTERS, id: `id ${ODD_CHARACTERS}`, type: `type ${ODD_CHARACTERS}` },
      ...{ headers: { "x-odd": ODD_CHARACTERS }, orderingKey: ODD_CHARACTERS },
      key: trial.message().key,
    });
  },

  "U+0000 is kept, or refused if the inbox says that it cannot keep it": async (trial) => {
    const fields = { body: "\u0000", id: "a\u0000b" };
    if (trial.keeps.nul !== false) return isKept(trial, fields);
    const added = await trial.add(trial.message(fields)).catch(() => "refused");
    same("adding a message that cannot be kept", added, "refused");
    same("messages waiting", (await trial.inbox.stats()).waiting, 0);
  },

  "a message of a newer version is parked, not lost": async (trial) => {
    const message = { ...trial.message(), v: 2 } as unknown as InboxMessage;
    await trial.addAll([message]);
    const worker = trial.work((stored) => sameMessage("the message", stored, message));
    await trial.until("it is parked", async () => (await trial.inbox.stats()).parked === 1);
    const [event] = await trial.allParked();
    same("the key of the parked event", event?.key ?? "", message.key);
    holds("the parked event has no message that can be read", event?.message === undefined);
    holds("its error names the version", event?.error.message.includes("newer version") === true);
    same("how often its parking was told", worker.notices.length, 1);
  },
};

/** Adds a message, lets it run, and lets it be parked: it is the same in both places. */
async function isKept(trial: InboxTrial, fields: Partial<InboxMessage>): Promise<void> {
  const message = trial.message(fields);
  await trial.park([message]);
  sameMessage("the message that ran", trial.runs[0]?.stored, message);
  const [event] = await trial.allParked();
  same("its key", event?.key ?? "", message.key);
  same("its id", event?.id ?? "", message.id);
  same("its type", event?.type ?? "", message.type);
  sameMessage("the parked message", event?.message, message);
}
