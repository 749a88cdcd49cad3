import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import express from "express";
import { expect, it } from "vitest";
import { makeRoom } from "../../adapters/express-request.ts";

setFlagsFromString("--allow-natives-syntax");
const isTable = runInNewContext("(object) => !%HasFastProperties(object)") as (object: object) => boolean;
/** As Express makes it of Node's. */
const ofExpress = () => Object.setPrototypeOf(new IncomingMessage(new Socket()), express().request) as object;

it.runIf(Number.parseInt(process.versions.node, 10) < 24)(
  "a request of Express becomes a plain table before Node 24",
  () => {
    const req = ofExpress();
    const had = Reflect.ownKeys(req);
    makeRoom(req);
    expect(isTable(req)).toBe(true);
    expect(Reflect.ownKeys(req)).toEqual(had);
  },
);

it.runIf(Number.parseInt(process.versions.node, 10) >= 24)(
  "a request of Express stays what it is from Node 24 on",
  () => {
    const req = ofExpress();
    makeRoom(req);
    expect(isTable(req)).toBe(false);
  },
);

it("any other request stays what it is, and so does one that cannot be changed", () => {
  for (const req of [{}, Object.create({ any: true }) as object, Object.create(null) as object]) {
    makeRoom(req);
    expect(isTable(req)).toBe(Object.getPrototypeOf(req) === null);
  }
  expect(() => makeRoom(Object.freeze(ofExpress()))).not.toThrow();
});
