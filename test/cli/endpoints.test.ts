import { existsSync, lstatSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { API_KEY, API_SECRET, failing, silent, startBluum } from "../client/bluum-server.ts";
import { credentials, folder, runCommand } from "./provider-terminal.ts";

const URL = "https://example.com/hook";
const ENSURE = ["endpoints", "ensure", "--url", URL, "--event", "order.filled", "transfer.*"];
const EXISTING = { id: "wh_there", url: URL, eventTypeNames: ["order.filled", "transfer.*"] };

describe("endpoints list", () => {
  it("prints a table", async () => {
    const server = await startBluum({
      webhooks: [
        { ...EXISTING, name: "orders" },
        { id: "wh_2", status: "INACTIVE" },
      ],
    });
    const { exitCode, stdout, stderr } = await runCommand(["endpoints", "list"], { env: credentials(server) });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const [head = "", first = "", second = ""] = stdout.split("\n").map((line) => line.replace(/ {2,}/g, "|"));
    expect(head).toBe("id|status|url|events|name");
    expect(first).toBe(`wh_there|active|${URL}|order.filled, transfer.*|orders`);
    expect(second).toMatch(/^wh_2\|inactive\|/);
  });

  it("prints bold headings as one escape sequence", async () => {
    const server = await startBluum({ webhooks: [EXISTING] });
    const { stdout } = await runCommand(["endpoints", "list"], { env: credentials(server), isTTY: true });
    const [head = "", ...lines] = stdout.split("\n");
    expect(head).toMatch(/^\S+id +status +url +events +name\S+$/);
    expect(lines).toHaveLength(2);
  });

  it("says that there are none", async () => {
    const server = await startBluum();
    expect((await runCommand(["endpoints", "list"], { env: credentials(server) })).stdout).toBe(
      "There are no endpoints.\n",
    );
  });

  it("prints JSON without a secret", async () => {
    const server = await startBluum();
    server.next.push((_request, response) =>
      response.end(JSON.stringify({ data: [{ ...EXISTING, secret: "whsec_of_theirs", signing_secret: "another" }] })),
    );
    const { stdout } = await runCommand(["endpoints", "list", "--json"], { env: credentials(server) });
    expect(JSON.parse(stdout)).toEqual({ webhooks: [EXISTING] });
  });

  it("escapes control characters in Bluum's answer", async () => {
    const evil = "\u001b]0;owned\u0007\u009b2J\u202e\r\n";
    const hostile = { id: `wh_${evil}`, url: `${URL}${evil}`, name: evil, eventTypeNames: [evil] };
    const server = await startBluum({ form: "snake", webhooks: [hostile] });
    for (const args of [["list"], ["list", "--json"]]) {
      const { stdout } = await runCommand(["endpoints", ...args], {
        env: { ...credentials(server), NO_COLOR: "1" },
        isTTY: true,
      });
      expect(stdout.replaceAll("\n", "")).not.toMatch(/\p{C}/u);
    }
  });
});

describe("endpoints create, update and delete", () => {
  it("print their result on a terminal", async () => {
    const server = await startBluum();
    const terminal = { env: credentials(server), isTTY: true };
    const create = [
      "endpoints",
      "create",
      "--name",
      "orders",
      "--url",
      URL,
      "--event",
      "order.filled",
      "--description",
      "d",
    ];
    const created = await runCommand(create, terminal);
    const [webhook] = server.webhooks;
    expect(created.stdout).toBe(
      `created  ${webhook?.id}  ${URL}\n  name    orders\n  status  active\n  events  order.filled\n` +
        `  secret  ${webhook?.secret}  keep it: Bluum may not show it again\n`,
    );
    const id = webhook?.id ?? "";
    const update = ["endpoints", "update", id, "--status", "inactive", "--event", "order.*", "--event", "account.*"];
    expect((await runCommand(update, terminal)).stdout).toContain("  status  inactive\n  events  order.*, account.*\n");
    expect((await runCommand(["endpoints", "delete", id], terminal)).stdout).toBe(`deleted  ${id}\n`);
    expect(server.webhooks).toEqual([]);
  });

  it("print JSON", async () => {
    const server = await startBluum({ webhooks: [EXISTING] });
    const env = credentials(server);
    const updated = await runCommand(["endpoints", "update", "wh_there", "--name", "n", "--json"], { env });
    expect(JSON.parse(updated.stdout)).toMatchObject({ action: "updated", webhook: { id: "wh_there", name: "n" } });
    const deleted = await runCommand(["endpoints", "delete", "wh_there", "--json"], { env });
    expect(JSON.parse(deleted.stdout)).toEqual({ action: "deleted", id: "wh_there" });
  });
});

describe("endpoints ensure", () => {
  it("creates, changes, or does nothing, and prints which", async () => {
    const server = await startBluum();
    const terminal = { env: credentials(server), isTTY: true };
    expect((await runCommand(ENSURE, terminal)).stdout).toMatch(
      /^created {2}wh_\d+ {2}.*\n.*\n.*\n.*\n {2}secret {2}whsec_/,
    );
    const again = await runCommand(ENSURE, terminal);
    expect(again.stdout).toMatch(/^unchanged {2}wh_\d+/);
    expect(again.stdout).not.toContain("secret");
    const other = await runCommand([...ENSURE, "account.created", "--name", "n"], terminal);
    expect(other.stdout).toMatch(/^updated \(eventTypeNames, name\) {2}wh_/);
    expect(server.webhooks).toHaveLength(1);
  });

  it("prints JSON, and a note about others with the same URL", async () => {
    const server = await startBluum({ webhooks: [EXISTING, { ...EXISTING, id: "wh_twin" }] });
    const { stdout, stderr } = await runCommand([...ENSURE, "--json", "--show-secret"], { env: credentials(server) });
    expect(JSON.parse(stdout)).toMatchObject({
      action: "unchanged",
      changed: [],
      webhook: EXISTING,
      duplicates: [{ id: "wh_twin" }],
    });
    expect(JSON.parse(stderr).note).toContain("wh_twin has the same URL");
  });

  it("keeps an inactive endpoint inactive with --keep-inactive", async () => {
    const server = await startBluum({ webhooks: [{ ...EXISTING, status: "INACTIVE" }] });
    const { stdout } = await runCommand([...ENSURE, "--keep-inactive", "--show-secret"], { env: credentials(server) });
    expect(stdout).toMatch(/^unchanged .*\n.*\n {2}status {2}inactive\n/);
  });
});

describe("the secret of a new endpoint", () => {
  it("is written to a file that only its owner can read, and not printed", async () => {
    const server = await startBluum();
    const file = join(folder(), "secret.txt");
    const { stdout } = await runCommand([...ENSURE, "--save-secret", file, "--json"], { env: credentials(server) });
    const secret = server.webhooks[0]?.secret ?? "?";
    expect(readFileSync(file, "utf8")).toBe(`${secret}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(stdout).not.toContain(secret);
    expect(JSON.parse(stdout)).toMatchObject({ action: "created", secretFile: file });
    await runCommand([...ENSURE, "--save-secret", file], { env: credentials(server) });
    expect(readFileSync(file, "utf8"), "unchanged if nothing was created").toBe(`${secret}\n`);
  });

  it("leaves no empty file behind if nothing was created", async () => {
    const server = await startBluum({ webhooks: [EXISTING] });
    const file = join(folder(), "secret.txt");
    await runCommand([...ENSURE, "--save-secret", file], { env: credentials(server) });
    expect(existsSync(file)).toBe(false);
    server.next.push(failing(422));
    await runCommand([...ENSURE, "--save-secret", file], { env: credentials(server) });
    expect(existsSync(file)).toBe(false);
  });

  it("never overwrites another: create refuses the file before it sends anything", async () => {
    const server = await startBluum();
    const file = join(folder(), "secret.txt");
    writeFileSync(file, "the first secret\n");
    const create = ["endpoints", "create", "--name", "n", "--url", URL, "--event", "a.b", "--save-secret", file];
    const { exitCode, stderr } = await runCommand(create, { env: credentials(server) });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("is not empty") });
    expect(server.requests).toEqual([]);
    expect(readFileSync(file, "utf8")).toBe("the first secret\n");
  });

  it("is written by ensure to a new file beside one that is not empty", async () => {
    const server = await startBluum();
    const file = join(folder(), "secret.txt");
    writeFileSync(file, "the first secret\n");
    for (const expected of [`${file}.new`, `${file}.new2`]) {
      const { stdout } = await runCommand([...ENSURE, "--save-secret", file, "--json"], { env: credentials(server) });
      expect(JSON.parse(stdout)).toMatchObject({ action: "created", secretFile: expected });
      expect(readFileSync(expected, "utf8")).toBe(`${server.webhooks.pop()?.secret}\n`);
      expect(statSync(expected).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(file, "utf8")).toBe("the first secret\n");
  });

  it("is written to an existing empty file", async () => {
    const server = await startBluum();
    const file = join(folder(), "secret.txt");
    writeFileSync(file, "", { mode: 0o644 });
    await runCommand([...ENSURE, "--save-secret", file], { env: credentials(server) });
    expect(readFileSync(file, "utf8")).toBe(`${server.webhooks[0]?.secret}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  describe.each([
    ["create", ["endpoints", "create", "--name", "n", "--url", URL, "--event", "a.b"]],
    ["ensure", ENSURE],
  ])("if its file cannot be written after %s", (_, command) => {
    /** Runs the command; the folder is removed while Bluum answers. */
    async function runWithoutFolder(...args: string[]) {
      const server = await startBluum();
      const path = folder();
      server.next.push(...(command === ENSURE ? [answeringNothing] : []), (_request, response) => {
        rmSync(path, { recursive: true });
        response.writeHead(201).end(JSON.stringify({ ...EXISTING, secret: "whsec_the only copy" }));
      });
      const file = join(path, "secret.txt");
      return {
        file,
        ...(await runCommand([...command, "--save-secret", file, ...args], { env: credentials(server) })),
      };
    }
    const answeringNothing = (_request: unknown, response: { end(text: string): void }) => response.end('{"data":[]}');

    it("is printed to both outputs instead", async () => {
      const { exitCode, stdout, stderr, file } = await runWithoutFolder();
      expect(exitCode).toBe(1);
      expect(stdout).toContain("  secret  whsec_the only copy  keep it");
      expect(stderr).toContain("whsec_the only copy");
      expect(stderr).toContain(`created, but its secret could not be written to ${file} (ENOENT)`);
    });

    it("is printed to both outputs instead with --json", async () => {
      const { exitCode, stdout, stderr } = await runWithoutFolder("--json");
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ action: "created", secret: "whsec_the only copy" });
      const [note = "", error = ""] = stderr.split("\n");
      expect(JSON.parse(note).note).toContain("whsec_the only copy");
      expect(JSON.parse(error).error.code).toBe("secret_not_saved");
    });
  });

  it.each(["create", "ensure"])(
    "is refused a device, folder or dangling link before %s sends anything",
    async (name) => {
      const server = await startBluum();
      const path = folder();
      symlinkSync(join(path, "missing"), join(path, "link"));
      const mode = statSync("/dev/full").mode;
      for (const file of ["/dev/full", path, join(path, "link"), join(path, "a".repeat(300))]) {
        const args = ["endpoints", name, "--name", "n", "--url", URL, "--event", "a.b", "--save-secret", file];
        const { exitCode, stderr } = await runCommand(args, { env: credentials(server) });
        expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(`--save-secret ${file}`) });
      }
      expect(server.requests).toEqual([]);
      expect(statSync("/dev/full").mode).toBe(mode);
      expect(lstatSync(join(path, "link")).isSymbolicLink()).toBe(true);
    },
  );

  it("is printed in full, however long it is", async () => {
    const server = await startBluum();
    const secret = `whsec_${"a".repeat(1_000)}`;
    server.next.push((_request, response) => response.writeHead(201).end(JSON.stringify({ ...EXISTING, secret })));
    const { stdout } = await runCommand(
      ["endpoints", "create", "--name", "n", "--url", URL, "--event", "a.b", "--show-secret"],
      { env: credentials(server) },
    );
    expect(stdout).toContain(`${secret}  keep it`);
  });

  it("needs a destination without a terminal, before anything is created", async () => {
    const server = await startBluum();
    const { exitCode, stderr } = await runCommand(ENSURE, { env: credentials(server) });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("--save-secret <path>, or --show-secret");
    const unwritable = [...ENSURE, "--save-secret", join(folder(), "missing", "secret.txt")];
    expect((await runCommand(unwritable, { env: credentials(server) })).exitCode).toBe(2);
    expect(server.requests).toEqual([]);
  });
});

describe("credentials", () => {
  const account = (url: string) =>
    `# of the tenant\nBLUUM_API_KEY=${API_KEY}\nBLUUM_API_SECRET='${API_SECRET}'\nBLUUM_BASE_URL=${url}\n`;

  it("in a file replace those of the environment", async () => {
    const server = await startBluum();
    const file = join(folder(), "bluum.env");
    writeFileSync(file, account(server.url));
    const env = { BLUUM_API_KEY: "another", BLUUM_API_SECRET: "another", BLUUM_BASE_URL: "production" };
    expect(await runCommand(["endpoints", "list", "--credentials-file", file], { env })).toMatchObject({ exitCode: 0 });
  });

  it("are read from standard input", async () => {
    const server = await startBluum();
    const ran = await runCommand(["endpoints", "list", "--credentials-stdin"], { stdin: account(server.url) });
    expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
  });

  it("are required", async () => {
    for (const args of [[], ["--credentials-file", join(folder(), "missing")]]) {
      const { exitCode, stderr } = await runCommand(["endpoints", "list", "--base-url", "sandbox", ...args, "--json"]);
      expect(exitCode).toBe(2);
      expect(JSON.parse(stderr).error).toMatchObject({ code: "credentials_unavailable" });
    }
  });

  it("are never an option, so that no process list shows them", async () => {
    for (const option of ["--api-key", "--api-secret"])
      expect((await runCommand(["endpoints", "list", option, API_SECRET])).exitCode).toBe(2);
  });

  it("are never printed, not even from an error of Bluum", async () => {
    const server = await startBluum();
    server.next.push(failing(400, {}, `${API_KEY} ${API_SECRET}`));
    const { stdout, stderr } = await runCommand(["endpoints", "list"], { env: credentials(server) });
    expect(stdout + stderr).not.toMatch(new RegExp(`${API_KEY}|s3cret`));
  });
});

describe("exit codes", () => {
  it.each([
    [1, "bad_credentials", 401],
    [1, "wrong_scope", 403],
    [1, "validation", 422],
  ])("%i for %s, with Bluum's code and the request's id", async (exitCode, code, status) => {
    const server = await startBluum();
    server.next.push(failing(status));
    const ran = await runCommand(["endpoints", "list", "--json"], { env: credentials(server) });
    const { error } = JSON.parse(ran.stderr);
    expect({ exitCode: ran.exitCode, code: error.code }).toEqual({ exitCode, code });
    expect(error.message).toContain(`(Bluum's code is BLUM-${status}-001, the request's id is req_1)`);
  });

  it("2 for a wrong command line", async () => {
    const server = await startBluum();
    const env = credentials(server);
    for (const args of [
      ["ensure", "--url", "http://example.com", "--event", "a.b"],
      ["update", "wh_1"],
      ["delete", "../x"],
      ["ensure"],
      [],
    ])
      expect(await runCommand(["endpoints", ...args], { env, isTTY: true })).toMatchObject({ exitCode: 2 });
    expect((await runCommand(["endpoints", "list"], { env: { ...env, BLUUM_BASE_URL: "" } })).stderr).toContain(
      "baseUrl is missing",
    );
    expect(server.requests).toEqual([]);
  });

  it("130 if Ctrl-C stops a create, with a warning that it may have succeeded", async () => {
    const server = await startBluum();
    const controller = new AbortController();
    server.next.push(() => controller.abort());
    const create = ["endpoints", "create", "--name", "n", "--url", URL, "--event", "a.b", "--show-secret"];
    const { exitCode, stderr } = await runCommand(create, { env: credentials(server), signal: controller.signal });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 130,
      stderr:
        "webhooks.create: the signal was aborted. It may have succeeded nevertheless; check before you repeat it.\n",
    });
  });

  it("130 if Ctrl-C stops a list", async () => {
    const server = await startBluum();
    const controller = new AbortController();
    server.next.push((request, response, seen) => {
      controller.abort();
      silent(request, response, seen);
    });
    const ran = await runCommand(["endpoints", "list"], { env: credentials(server), signal: controller.signal });
    expect(ran).toEqual({ exitCode: 130, stdout: "", stderr: "" });
  });
});
