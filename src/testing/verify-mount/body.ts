import { finding, type MountFinding } from "../mount-findings.ts";
import type { Answer } from "./answer.ts";
import type { Mount } from "./mount.ts";
import { BROKEN, FRAGILE, type Fragile, PING } from "./pings.ts";

/** Something has read the body before the receiver: what it looks like, by the bodies that it spares. */
export async function parsedBody(answer: Answer, mount: Mount): Promise<MountFinding> {
  const other = await mount.signed(PING, { contentType: "application/x-bluum-webhooks" });
  if (!isEaten(other)) {
    const form = isEaten(await mount.signed(PING, { contentType: "application/x-www-form-urlencoded" }));
    return eatenBy(jsonParser(isExpress(answer), form), "It takes bodies by their content type.");
  }
  if (isEaten(await mount.signed(BROKEN))) {
    const express = 'express.text({ type: "*/*" }) or a middleware that reads the stream';
    const others = "a middleware that reads the body as text, such as a request logger or c.req.text()";
    return eatenBy(
      isExpress(answer) ? express : others,
      "It takes every body, whatever its content type, JSON or not.",
    );
  }
  const express = 'express.json({ type: "*/*" })';
  const others = "code that reads the request's JSON, such as c.req.json() or await request.json()";
  return eatenBy(
    isExpress(answer) ? express : others,
    "It takes every body, whatever its content type, and fails where it is no JSON.",
  );
}

/** Bodies arrive changed, and the plainest as it was: what is lost, by bodies that have one fragile thing each. */
export async function changedBody(mount: Mount): Promise<MountFinding> {
  const lost: Fragile[] = [];
  for (const thing of Object.keys(FRAGILE) as Fragile[]) {
    if ((await mount.signed(FRAGILE[thing])).code === "signature_mismatch") lost.push(thing);
  }
  const isOnly = (thing: Fragile) => lost.length === 1 && lost[0] === thing;
  if (isOnly("length")) return cutBody(FRAGILE.length.length, "a shorter one does not");
  if (isOnly("letters")) {
    return finding(
      "body_transcoded",
      "Letters outside ASCII do not arrive as the bytes that were sent; all else does.",
    );
  }
  if (lost.length === 0) return nothingArrives();
  const things = lost.map((thing) => LOSSES[thing]).join(", ");
  return finding(
    "body_reserialized",
    `The body arrives changed, as when JSON is parsed and printed again. Lost are: ${things}.`,
  );
}

/** A body arrives with fewer bytes than it had. */
export function cutBody(bytes: number, otherwise: string): MountFinding {
  return finding("body_truncated", `A body of ${bytes} bytes arrives incomplete or changed; ${otherwise}.`);
}

/** Secret and scheme are right, and no body arrives as it was sent. */
export function nothingArrives(): MountFinding {
  const what = "as when it is compressed, wrapped, or encoded in another way";
  return finding("body_altered", `Secret and scheme are right, yet the body arrives changed, ${what}.`);
}

/** The receiver refuses a Content-Encoding that was not sent. */
export function compressedBody(bytes: number): MountFinding {
  return finding("body_compressed", `A body of ${bytes} bytes was sent as it is and arrives with a Content-Encoding.`);
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

function eatenBy(what: string, why: string): MountFinding {
  return finding("body_parsed", `Something read the body before the receiver. It looks like ${what}. ${why}`);
}

function isEaten({ code }: Answer): boolean {
  return code === "body_already_parsed";
}

function isExpress(answer: Answer): boolean {
  return /express/i.test(answer.header("x-powered-by") ?? "");
}
