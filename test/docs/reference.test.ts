import { describe, expect, it } from "vitest";
import { KNOWN_EVENT_TYPES } from "../../src/index.ts";
import { codeWords, readText, tableOf } from "./markdown.ts";

// The snippets of these pages are run with those of all pages, by test/readme.test.ts.

/** The first code word of each row. */
const rowsOf = (page: string, table: string) =>
  tableOf(`docs/reference/${page}.md`, table).map(([name = ""]) => /^\w+/.exec(codeWords(name)[0] ?? "")?.[0]);

/** The members of an interface in a source file, in order. */
function membersOf(source: string, name: string): string[] {
  const [, behind = ""] = readText(source).split(new RegExp(`export interface ${name}\\b[^{]*\\{\n`));
  const [body = ""] = behind.split("\n}");
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, member = ""]) => member);
}

describe("docs/reference/context.md", () => {
  it("lists every field of a context, in order", () => {
    const fields = membersOf("src/pipeline/outcome.ts", "DeliveryContext");
    expect(fields).toContain("signal");
    expect(rowsOf("context", "context")).toEqual(fields);
  });
});

describe("docs/reference/types.md", () => {
  it("lists every field of an event, in order", () => {
    const fields = membersOf("src/events/event.ts", "BluumEventBase");
    expect(fields).toContain("payload");
    expect(rowsOf("types", "event")).toEqual(fields);
  });

  it("lists the catalogue with the types of data", () => {
    const documented = tableOf("docs/reference/types.md", "catalogue").flatMap(([events = "", data = ""]) =>
      codeWords(events).map((event) => `"${event}": ${codeWords(data)[0]};`),
    );
    const [, behind = ""] = readText("src/bluum/catalogue.ts").split("export interface BluumCatalogue {\n");
    const declared = (behind.split("\n}")[0] ?? "").split("\n").map((line) => line.trim());
    expect(documented).toHaveLength(KNOWN_EVENT_TYPES.length);
    expect(documented).toEqual(declared);
  });
});

describe("docs/reference/signature-schemes.md", () => {
  it("lists every member of a scheme, in order", () => {
    const members = membersOf("src/schemes/scheme.ts", "SignatureScheme");
    expect(members).toContain("verify");
    expect(rowsOf("signature-schemes", "scheme")).toEqual(members);
  });

  it("lists every option of the schemes", () => {
    const taking = (option: string) =>
      tableOf("docs/reference/signature-schemes.md", "scheme-options")
        .filter(([, schemes = ""]) => codeWords(schemes).includes(option))
        .map(([name = ""]) => codeWords(name)[0]);
    expect(taking("hmacSignature")).toEqual(membersOf("src/schemes/hmac.ts", "HmacSignatureOptions"));
    expect(taking("timestampedSignature")).toEqual(
      membersOf("src/schemes/timestamped.ts", "TimestampedSignatureOptions"),
    );
    expect(taking("standardWebhooksSignature")).toEqual(
      membersOf("src/schemes/standard-webhooks.ts", "StandardWebhooksOptions"),
    );
  });
});
