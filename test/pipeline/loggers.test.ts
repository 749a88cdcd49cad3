import { Console } from "node:console";
import { Writable } from "node:stream";
import bunyan from "bunyan";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import winston from "winston";
import { createReceiver, type Logger } from "../../src/index.ts";
import { anEvent, SECRET, signed } from "./receiving.ts";

/** Common loggers, each writing to a stream. */
const LOGGERS: Record<string, (stream: Writable) => Logger> = {
  "pino()": (stream) => pino(stream),
  "a child of pino()": (stream) => pino(stream).child({ module: "webhooks" }),
  "pino() with an errorKey": (stream) => pino({ errorKey: "failure" }, stream),
  "bunyan.createLogger()": (stream) => bunyan.createLogger({ name: "app", streams: [{ stream }] }),
  "a child of bunyan.createLogger()": (stream) =>
    bunyan.createLogger({ name: "app", streams: [{ stream }] }).child({ module: "webhooks" }),
  "winston.createLogger()": (stream) =>
    winston.createLogger({ transports: [new winston.transports.Stream({ stream })] }),
  "a child of winston.createLogger()": (stream) =>
    winston.createLogger({ transports: [new winston.transports.Stream({ stream })] }).child({ module: "webhooks" }),
  "winston with format.splat()": (stream) =>
    winston.createLogger({
      format: winston.format.combine(winston.format.splat(), winston.format.json()),
      transports: [new winston.transports.Stream({ stream })],
    }),
  "a Console": (stream) => new Console(stream),
};

/** The output of a receiver with this logger when a handler throws, and when a delivery is forged. */
async function writtenBy(make: (stream: Writable) => Logger, thrown: unknown, type?: string): Promise<string> {
  let text = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const receiver = createReceiver({ secret: SECRET, logger: make(stream) }).on(
    "*",
    () => {
      throw thrown;
    },
    { name: "book" },
  );
  await receiver.handle(signed(anEvent(type)));
  await receiver.handle(signed(anEvent(type), { secret: "some-other-shared-secret" }));
  return text;
}

describe.each(Object.entries(LOGGERS))("the logger %s", (_, make) => {
  it("gets the line and the error with its stack", async () => {
    const text = await writtenBy(make, new RangeError("the database is away"));
    expect(text).toContain("bluum-webhooks: handler_failed: ");
    expect(text).toMatch(/handler \\?"book\\?"/);
    expect(text).toContain("the database is away");
    expect(text).toContain("loggers.test.ts:");
  });

  it("gets the line of a warning", async () => {
    expect(await writtenBy(make, new Error("x"))).toContain("bluum-webhooks: signature_mismatch: ");
  });

  it("gets a thrown text", async () => {
    expect(await writtenBy(make, "the database is away")).toContain("the database is away");
  });

  it("gets the error when the event's name looks like a format", async () => {
    const text = await writtenBy(make, new RangeError("the database is away"), "order.%c%d%s%j%o");
    expect(text).toContain("the database is away");
    expect(text).toContain("loggers.test.ts:");
  });
});

describe("the fields that pino and bunyan write", () => {
  it("have the error under err", async () => {
    for (const name of ["pino()", "bunyan.createLogger()"] as const) {
      const [line = ""] = (await writtenBy(LOGGERS[name] as never, new Error("away"))).split("\n");
      expect(JSON.parse(line)).toMatchObject({
        level: 50,
        msg: expect.stringMatching(/^bluum-webhooks: handler_failed/),
        err: { message: "away", stack: expect.stringContaining("loggers.test.ts") },
      });
    }
  });
});
