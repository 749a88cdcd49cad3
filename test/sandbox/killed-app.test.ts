import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { freshFile } from "../stores/sqlite-engines.ts";
import { sandboxed } from "./endpoints.ts";

const APP = fileURLToPath(new URL("./killed-app.mjs", import.meta.url));
const SECRET = "a secret of 16 bytes or more";

interface Message {
  readonly port?: number;
  readonly handling?: string;
}

/** An app with a durable store that was killed while it handled an event, and restarted on the same port. */
async function appThatIsKilled() {
  const { file, remove } = freshFile();
  onTestFinished(remove);
  const start = async (port: number, behaviour: "hang" | "handle"): Promise<[ChildProcess, number]> => {
    const child = fork(APP, [String(port), file, SECRET, behaviour]);
    onTestFinished(() => void child.kill("SIGKILL"));
    const [message] = (await once(child, "message")) as [Message];
    return [child, message.port ?? 0];
  };
  const [first, port] = await start(0, "hang");
  const handled: (string | undefined)[] = [];
  return {
    url: `http://127.0.0.1:${port}/webhooks/bluum`,
    handled,
    async killAndRestart() {
      await once(first, "message");
      first.kill("SIGKILL");
      await once(first, "exit");
      const [second] = await start(port, "handle");
      second.on("message", ({ handling }: Message) => handled.push(handling));
    },
  };
}

describe("an app that is killed while it handles an event and restarted", () => {
  it("gets the event after its claim has expired in real time", async () => {
    const app = await appThatIsKilled();
    const sandbox = await sandboxed({ speed: 0 });
    await sandbox.endpoint({ url: app.url, secret: SECRET });
    const [sent] = await sandbox.send("order.filled", { data: { id: "ord_1" } });
    const begun = sandbox.advance(0);
    await app.killAndRestart();
    await begun;
    await sandbox.settled();
    const delivery = sandbox.delivery(sent?.id ?? "");
    expect(delivery?.attempts.map(({ status, error }) => status ?? error)).toEqual(["ECONNRESET", 503, 200]);
    expect(delivery?.state).toBe("delivered");
    expect(app.handled).toEqual(["ord_1"]);
  });
});
