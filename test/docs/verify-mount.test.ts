import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bluumHandler } from "../../adapters/node.ts";
import { createReceiver } from "../../src/index.ts";
import { finding, type MountCause } from "../../src/testing/mount-findings.ts";
import { codeWords, tableOf, unionMembers } from "./markdown.ts";
import { compileSnippets, removeSnippets, runToEnd, snippetsOf } from "./snippets.ts";

const PAGE = "docs/reference/verify-mount.md";
const secret = "a secret of 16 bytes or more";

describe("the causes in docs/reference/verify-mount.md", () => {
  const rows = tableOf(PAGE, "causes").map(([cause = "", what = "", change = ""]) => ({
    cause: codeWords(cause)[0] as MountCause,
    what,
    change,
  }));

  it("are complete and in order", () => {
    const causes = unionMembers("src/testing/mount-findings.ts", "MountCause");
    expect(causes).toContain("body_parsed");
    expect(rows.map(({ cause }) => cause)).toEqual(causes);
  });

  it.each(rows)("tell what $cause is, and its remedy as the error does", ({ cause, what, change }) => {
    expect(what).not.toBe("");
    expect(change).toBe(finding(cause, "").remedy);
  });
});

describe("the smoke test in docs/reference/verify-mount.md", () => {
  const smoke = snippetsOf([PAGE]).filter(({ code }) => code.includes("WEBHOOK_URL"));
  const server = createServer(bluumHandler(createReceiver({ secret, logger: false }).on("*", () => {})));
  beforeAll(async () => {
    await compileSnippets(smoke);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  }, 60_000);
  afterAll(() => {
    removeSnippets();
    server.close();
  });

  const run = (by: string) => {
    const WEBHOOK_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return runToEnd(smoke[0]?.program ?? "", { WEBHOOK_URL, BLUUM_WEBHOOK_SECRET: by });
  };

  it("says that a mount is sound", async () => {
    expect(await run(secret)).toMatch(/^sound: http:\/\/127\.0\.0\.1:\d+\/ in \d+ ms\n$/);
  });

  it("ends with exit code 1 and the explanation where it is not", async () => {
    await expect(run("some other secret of 16 bytes")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/MountError: the mount at .* is not sound\nwrong_secret: /),
    });
  });
});
