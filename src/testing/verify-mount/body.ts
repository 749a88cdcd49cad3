import { finding, type MountFinding } from "../mount-findings.ts";
import type { Answer } from "./answer.ts";
import type { Mount } from "./mount.ts";
import { BROKEN, FRAGILE, type Fragile, PING } from "./pings.ts";

/** Something read the body before the receiver. Guesses which parser, by the content types and bodies that it does not read. */
export async function parsedBody(answer: Answer, mount: Mount): Promise<MountFinding> {
  const other = await mount.signed(PING, { contentType: "application/x-bluum-webhooks" });
  if (!isAlreadyParsed(other)) {
    const form = isAlreadyParsed(await mount.signed(PING, { contentType: "application/x-www-form-urlencoded" }));
    return parsedBy(jsonParser(isExpress(answer), form), "It reads bodies by their content type.");
  }
  if (isAlreadyParsed(await mount.signed(BROKEN))) {
    const express = 'express.text({ type: "*/*" }) or a middleware that reads the stream';
    const others = "a middleware that reads the body as text, such as a request logger or c.req.text()";
    return parsedBy(isExpress(answer) ? express : others, "It reads every body, with any content type, JSON or not.");
  }
  const express = 'express.json({ type: "*/*" })';
  const others = "code that reads the request's JSON, such as c.req.json() or await request.json()";
  return parsedBy(
    isExpress(answer) ? express : others,
    "It reads every body, with any content type, and fails if it is not JSON.",
  );
}

/** Bodies arrive changed, but the plainest does not. Finds what is lost, with bodies that have one fragile feature each. */
export async function changedBody(mount: Mount): Promise<MountFinding> {
  const lost: Fragile[] = [];
  for (const feature of Object.keys(FRAGILE) as Fragile[]) {
    if ((await mount.signed(FRAGILE[feature])).code === "signature_mismatch") lost.push(feature);
  }
  const isOnly = (feature: Fragile) => lost.length === 1 && lost[0] === feature;
  if (isOnly("length")) return truncatedBody(FRAGILE.length.length, "a shorter one does not");
  if (isOnly("letters")) {
    return finding(
      "body_transcoded",
      "Letters outside ASCII arrive as other bytes than were sent; everything else arrives unchanged.",
    );
  }
  if (lost.length === 0) return alteredBody();
  const losses = lost.map((feature) => LOSSES[feature]).join(", ");
  return finding(
    "body_reserialized",
    `The body arrives changed, as if JSON was parsed and printed again. Lost: ${losses}.`,
  );
}

/** The finding for a body that arrives incomplete. */
export function truncatedBody(bytes: number, otherwise: string): MountFinding {
  return finding("body_truncated", `A body of ${bytes} bytes arrives incomplete or changed; ${otherwise}.`);
}

/** The finding for bodies that never arrive as sent, although secret and scheme are right. */
export function alteredBody(): MountFinding {
  const what = "as if it was compressed, wrapped or re-encoded";
  return finding("body_altered", `Secret and scheme are right, but the body arrives changed, ${what}.`);
}

/** The finding for a Content-Encoding that was added on the way. */
export function compressedBody(bytes: number): MountFinding {
  return finding(
    "body_compressed",
    `A body of ${bytes} bytes was sent uncompressed but arrives with a Content-Encoding.`,
  );
}

const LOSSES: Record<Fragile, string> = {
  spaces: "white space between tokens",
  numbers: "the form of numbers (10.00)",
  escapes: "escapes (\\u00e9)",
  letters: "letters outside ASCII (é)",
  length: "bytes of a longer body",
};

function jsonParser(express: boolean, form: boolean): string {
  if (express) return form ? "express.json() with express.urlencoded()" : "express.json()";
  return form ? "koa-bodyparser, or a JSON parser beside one for forms" : "a JSON body parser, such as express.json()";
}

function parsedBy(parser: string, why: string): MountFinding {
  return finding("body_parsed", `Something read the body before the receiver. It looks like ${parser}. ${why}`);
}

function isAlreadyParsed({ code }: Answer): boolean {
  return code === "body_already_parsed";
}

function isExpress(answer: Answer): boolean {
  return /express/i.test(answer.header("x-powered-by") ?? "");
}
