import { chmodSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { standardWebhooksSignature } from "../../src/index.ts";
import type { SandboxOptions } from "../../src/sandbox/index.ts";
import { engines, freshFile } from "../stores/sqlite-engines.ts";
import { type Answering, recordingEndpoint, sandboxed, statuses } from "./endpoints.ts";

const opened: { close(): unknown }[] = [];
let place: ReturnType<typeof freshFile>;
beforeEach(() => {
  place = freshFile();
});
afterEach(() => {
  for (const database of opened.splice(0)) database.close();
  place.remove();
});

describe.each(engines)("a sandbox with its state in $name", ({ open }) => {
  const database = () => {
    const connection = open(place.file);
    opened.push(connection);
    return connection;
  };
  const run = (options: SandboxOptions = {}) =>
    sandboxed({ speed: 0, database: database(), warn: () => {}, ...options });
  const endConnection = () => opened.pop()?.close();

  it("resumes pending retries after a restart and repeats no delivered event", async () => {
    const answers = { failing: true };
    const answering: Answering = ({ body }, response) => {
      response.writeHead(answers.failing && body.includes("order.rejected") ? 500 : 200).end();
    };
    const { url, arrived } = await recordingEndpoint(answering);
    const first = await run();
    const { id, secret } = await first.endpoint({ url });
    await first.send("order.filled");
    const [pending] = await first.send("order.rejected");
    await first.advance(0);
    const dueAt = first.deliveries()[1]?.nextAttemptAt;
    const known = first.deliveries();
    await first.close();
    endConnection();

    answers.failing = false;
    const second = await run();
    expect(second.deliveries()).toEqual(known);
    expect(second.secrets(id)).toEqual([secret]);
    expect(second.credentials).toEqual(first.credentials);
    expect(second.investorCredentials).toEqual(first.investorCredentials);
    expect(second.endpoints()).toMatchObject([{ id, delivered: 1, failed: 1 }]);
    await second.advance(0);
    expect(arrived).toHaveLength(2);
    await second.settled();
    expect(arrived).toHaveLength(3);
    expect(arrived[2]).toMatchObject({ body: arrived[1]?.body });
    expect(second.delivery(pending?.id ?? "")?.attempts[1]?.at).toBeGreaterThanOrEqual(dueAt ?? Number.NaN);
    expect(second.delivery(pending?.id ?? "")).toMatchObject({ state: "delivered" });
  });

  it("sends a delivery again that was in progress when it stopped", async () => {
    const { url, arrived } = await recordingEndpoint((_, response) => {
      if (arrived.length > 1) response.end();
    });
    const first = await run();
    await first.endpoint({ url });
    await first.send("order.filled");
    void first.advance(0);
    await expect.poll(() => arrived.length).toBe(1);
    await first.close();
    endConnection();

    const second = await run();
    await second.settled();
    expect(second.deliveries()).toMatchObject([
      { state: "delivered", attempts: [{ status: null, error: "the sandbox was stopped" }, { status: 200 }] },
    ]);
    expect(arrived[1]?.body).toEqual(arrived[0]?.body);
  });

  it("restores deliveries with answers, forgeries and times after a restart", async () => {
    const { url } = await recordingEndpoint(statuses(500));
    const first = await run();
    await first.endpoint({ url });
    const [sent] = await first.send("order.filled");
    await first.settled();
    const forged = await first.forge(sent?.id ?? "", "altered_body");
    await first.settled();
    const before = [sent, forged].map((one) => first.delivery(one?.id ?? ""));
    const now = first.now();
    await first.close();
    endConnection();
    const second = await run();
    expect([sent, forged].map((one) => second.delivery(one?.id ?? ""))).toEqual(before);
    expect(second.now()).toBeGreaterThanOrEqual(now);
    expect(await second.replayParked()).toHaveLength(1);
    await second.settled();
  });

  it("does not let its clock go back after a restart", async () => {
    const first = await run({ now: () => 1_000_000 });
    await first.advance(50_000);
    await first.close();
    endConnection();
    expect((await run({ now: () => 1_000_000 })).now()).toBeGreaterThanOrEqual(1_050_000);
  });

  it("goes on in memory if its state cannot be written, and warns once", async () => {
    const { url } = await recordingEndpoint();
    const warnings: string[] = [];
    const connection = database();
    const sandbox = await run({ database: connection, warn: (message) => warnings.push(message) });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.settled();
    connection.exec("DROP TABLE sandbox_deliveries");
    for (let sent = 0; sent < 2; sent += 1) {
      await sandbox.send("order.filled");
      await sandbox.settled();
    }
    expect(sandbox.deliveries().map(({ state }) => state)).toEqual(Array(3).fill("delivered"));
    await expect.poll(() => warnings).toEqual([expect.stringMatching(/cannot write its state.*sandbox_deliveries/)]);
  });

  it("deletes forgotten deliveries from the file", async () => {
    const { url } = await recordingEndpoint();
    const first = await run({ maxDeliveries: 3 });
    const { id } = await first.endpoint({ url });
    for (let sent = 0; sent < 10; sent += 1) {
      await first.send("order.filled");
      await first.advance(0);
    }
    await first.rotateSecret(id);
    const secrets = first.secrets(id);
    await first.close();
    endConnection();
    const second = await run();
    expect(second.deliveries()).toHaveLength(3);
    expect(second.secrets(id)).toEqual(secrets);
  });

  it("refuses a scheme that cannot use its endpoints' secrets", async () => {
    const first = await run();
    await first.endpoint({ url: "https://example.com/", secret: "of plain text, and long enough" });
    await first.close();
    endConnection();
    await expect(run({ scheme: standardWebhooksSignature() })).rejects.toMatchObject({
      code: "configuration_invalid",
      message: expect.stringContaining("secret cannot be used to sign with standard-webhooks"),
    });
  });

  it("locks its file against other sandboxes", async () => {
    await run();
    await expect(run()).rejects.toMatchObject({
      code: "configuration_invalid",
      message: expect.stringContaining("in use by another sandbox"),
    });
  });

  it("refuses a file that is not a database", async () => {
    writeFileSync(place.file, "this is a text, and long enough to be looked at as a database's head ".repeat(20));
    await expect(run()).rejects.toMatchObject({ code: "configuration_invalid" });
  });
});

/** The permissions of the state file and the files that SQLite creates next to it. */
function modes(): Record<string, number> {
  const folder = dirname(place.file);
  return Object.fromEntries(readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]));
}

const privateModes = () => Object.fromEntries(Object.keys(modes()).map((name) => [name, 0o600]));

describe("statePath", () => {
  it("keeps the state in a file with any available driver", async () => {
    const first = await sandboxed({ statePath: place.file });
    const { id } = await first.endpoint({ url: "https://example.com/" });
    await first.close();
    expect((await sandboxed({ statePath: place.file })).endpoints()).toMatchObject([{ id }]);
  });

  it("creates its files readable for their owner only", async () => {
    const { url } = await recordingEndpoint();
    const sandbox = await sandboxed({ statePath: place.file });
    expect(modes()).toEqual(privateModes());
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.settled();
    expect(modes()).toEqual(privateModes());
    expect(Object.keys(modes()).length).toBeGreaterThan(1);
  });

  it("makes a file private that other users could read", async () => {
    const first = await sandboxed({ statePath: place.file });
    await first.endpoint({ url: "https://example.com/" });
    await first.close();
    for (const name of Object.keys(modes())) chmodSync(join(dirname(place.file), name), 0o644);
    await sandboxed({ statePath: place.file });
    expect(modes()).toEqual(privateModes());
  });

  it("does not change a file that is not a database", async () => {
    writeFileSync(place.file, "this is a text, and long enough to be looked at as a database's head ".repeat(20));
    chmodSync(place.file, 0o644);
    await expect(sandboxed({ statePath: place.file })).rejects.toMatchObject({ code: "configuration_invalid" });
    expect(modes()).toEqual({ "events.db": 0o644 });
  });

  it("cannot be combined with a database", async () => {
    const options = { statePath: place.file, database: engines[0]?.open(place.file) } as SandboxOptions;
    await expect(sandboxed(options)).rejects.toMatchObject({ code: "configuration_invalid" });
  });
});
