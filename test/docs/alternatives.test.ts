// The README's table of alternatives. Each is run here, and must do as its cell says; the ratios are those of the page on performance.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express, { type RequestHandler } from "express";
import { describe, expect, it } from "vitest";
import { PATH, type Signing, SUBJECTS, type Subject } from "./alternatives/subjects.ts";
import { readText, tableOf } from "./markdown.ts";

/** What became of deliveries: whether the last was answered 2xx, and how often the handler ran. */
interface Result {
  readonly success: boolean;
  readonly runs: number;
}

const NOW = Math.floor(Date.now() / 1_000);
const TEN_YEARS = 10 * 365 * 86_400;
const GENUINE: Signing = { body: Buffer.from('{"event":"order.filled","data":{"price":10.00}}'), seconds: NOW };
const PACKAGES: Record<string, string> = { octokit: "@octokit/webhooks", tern: "@hookflo/tern" };
/** The rows of the page's tables, where they have another name. */
const VERIFIED: Record<string, string> = {
  "bluum-webhooks": "`bluumSignature`",
  octokit: "octokit webhooks-methods",
  stripe: "stripe `constructEvent`",
};
const ON_EXPRESS: Record<string, string> = { ...VERIFIED, "bluum-webhooks": "ours, handler", octokit: "octokit" };

const [head = [], ...rows] = tableWithHead();
/** What the README says of a subject, in the row whose label has these words. */
function cellOf({ name }: Subject, label: string): string | undefined {
  return rows.find(([first = ""]) => first.includes(label))?.[head.indexOf(name)];
}

it("the table has a column for each of them, and the rows that are checked here", () => {
  expect(head.slice(1)).toEqual(SUBJECTS.map(({ name }) => name));
  expect(rows).toHaveLength(7);
});

// octokit waits 9 s for a body that a parser took.
describe.each(SUBJECTS)("$name does as the README says", { timeout: 20_000 }, (subject) => {
  it("handles a genuine delivery", async () => {
    expect(await send(subject, [GENUINE])).toEqual({ success: true, runs: 1 });
  });

  it("with a copy of a delivery", async () => {
    const { runs } = await send(subject, [GENUINE, GENUINE]);
    expect(cellOf(subject, "a copy of a delivery runs no handler again")).toBe(runs === 1 ? "yes" : "no");
  });

  it("behind express.json()", async () => {
    const { success, runs } = await send(subject, [GENUINE], express.json());
    expect(runs).toBe(0);
    expect(cellOf(subject, "a body that `express.json()` has parsed is refused")).toBe(success ? "no" : "yes");
  });

  it("with other bytes that decode to the same text", async () => {
    const signed = around(0xef, 0xbf, 0xbd); // U+FFFD, as which FF is decoded
    const sign = ({ seconds }: Signing) => subject.sign({ body: signed, seconds });
    const { runs } = await send({ ...subject, sign }, [{ ...GENUINE, body: around(0xff) }]);
    expect(cellOf(subject, "other bytes that decode to the same text are refused")).toBe(runs === 0 ? "yes" : "no");
  });

  it("with a signed time ten years ahead", async () => {
    const { runs } = await send(subject, [{ ...GENUINE, seconds: NOW + TEN_YEARS }]);
    const said = subject.timed ? { 0: "yes", 1: "no" }[runs] : "–";
    expect(cellOf(subject, "a signed time ten years ahead is refused")).toBe(said);
  });

  it("about its dependencies", () => {
    const { name } = subject;
    const folder = name === "bluum-webhooks" ? "" : `node_modules/${PACKAGES[name] ?? name}/`;
    const { dependencies = {} } = name === "by hand" ? {} : JSON.parse(readText(`${folder}package.json`));
    expect(cellOf(subject, "dependencies")).toBe(String(Object.keys(dependencies).length));
  });

  it("about its speed, as measured", () => {
    const verified = figureOf("| verify + parse, to the floor", VERIFIED[subject.name] ?? subject.name, "2 KB");
    const onExpress = figureOf("| end to end, 2 KB", ON_EXPRESS[subject.name] ?? subject.name, "Express");
    const byHand = subject.name === "by hand" ? "1" : undefined;
    expect(cellOf(subject, "verify and parse 2 KB")).toBe(byHand ?? verified ?? "–");
    expect(cellOf(subject, "CPU of a request on Express")).toBe(byHand ?? onExpress ?? "–");
  });
});

/** Sends deliveries, one after the other, to a subject behind other middleware. */
async function send(subject: Subject, deliveries: readonly Signing[], ...before: RequestHandler[]): Promise<Result> {
  let runs = 0;
  const app = express();
  app.post(PATH, ...before, ...subject.mount(() => void runs++));
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`;
  let success = false;
  for (const delivery of deliveries) {
    const headers = { "content-type": "application/json", ...subject.sign(delivery) };
    ({ ok: success } = await fetch(url, { method: "POST", headers, body: new Uint8Array(delivery.body) }));
  }
  server.close();
  return { success, runs };
}

/** An event with these bytes in a text of it. */
function around(...bytes: number[]): Buffer {
  return Buffer.concat([Buffer.from('{"event":"order.filled","data":"'), Buffer.from(bytes), Buffer.from('"}')]);
}

function tableWithHead(): string[][] {
  const [, behind = ""] = readText("README.md").split("<!-- test: alternatives -->\n");
  const [first = ""] = behind.split("\n");
  return [first.split("|").slice(1, -1), ...tableOf("README.md", "alternatives")];
}

/** The first figure of a row, in a column of the table of docs/background/performance.md that begins so. */
function figureOf(table: string, row: string, column: string): string | undefined {
  const [, behind = ""] = readText("docs/background/performance.md").split(table);
  const [first = "", ...lines] = (behind.split("\n\n")[0] ?? "").split("\n");
  const place = first.split("|").findIndex((name) => name.trim() === column);
  const cells = lines.map((line) => line.split("|").map((cell) => cell.trim())).find(([, name]) => name === row);
  return cells?.[place + 1]?.split(" / ")[0];
}
