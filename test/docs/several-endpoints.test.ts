import { describe, expect, it } from "vitest";
import { order, post, programsOf } from "./page-programs.ts";

const PAGE = "docs/guides/several-endpoints.md";
const ACME = "the secret of the first tenant";
const GLOBEX = "the secret of the other tenant";

describe(`the program of ${PAGE}`, () => {
  const started = programsOf(PAGE);

  it("keeps two tenants apart: secrets, duplicates and inboxes", async () => {
    const app = await started("globex", { BLUUM_WEBHOOK_SECRET: ACME, GLOBEX_SECRET: GLOBEX });
    const [acme, globex] = [`${app.url}/acme/webhooks/bluum`, `${app.url}/globex/webhooks/bluum`];
    const event = order("5");
    expect(await post(acme, GLOBEX, event)).toBe("401 signature_mismatch");
    expect(await post(globex, ACME, event)).toBe("401 signature_mismatch");
    expect(await post(acme, ACME, event)).toBe("200");
    expect(await post(acme, ACME, event)).toBe("200 duplicate");
    expect(await post(globex, GLOBEX, event)).toBe("200");
    await app.prints("acme filled at 5");
    await app.prints("globex filled at 5");
    const printed = await app.stop();
    for (const tenant of ["acme", "globex"]) {
      expect(printed.match(new RegExp(`${tenant} filled at 5`, "g")), tenant).toHaveLength(1);
    }
  });
});
