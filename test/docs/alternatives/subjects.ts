// This package and its alternatives, each mounted on Express as its documentation says, with one handler.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createWebhookMiddleware } from "@hookflo/tern/express";
import { createNodeMiddleware, Webhooks } from "@octokit/webhooks";
import express, { type RequestHandler } from "express";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { bluumHandler } from "../../../adapters/express.ts";
import { createReceiver, type SignatureScheme, timestampedSignature } from "../../../src/index.ts";

/** Standard Webhooks reads what follows `whsec_` as base64; the others take all of it. */
const SECRET = `whsec_${Buffer.from("a secret of 32 bytes for testing").toString("base64")}`;
export const PATH = "/webhooks";

/** A body, and the time of its signature in unix seconds. */
export interface Signing {
  readonly body: Buffer;
  readonly seconds: number;
}

export interface Subject {
  /** Its column in the README's table. */
  readonly name: string;
  /** Whether its signature covers a time. */
  readonly timed: boolean;
  sign(signing: Signing): Record<string, string>;
  /** The route, which calls `work` for each event that is handled. */
  mount(work: () => void): RequestHandler[];
}

const stripe = new Stripe("sk_test_none");
const raw = express.raw({ type: () => true });

export const SUBJECTS: readonly Subject[] = [
  {
    name: "bluum-webhooks",
    timed: true,
    sign: stripeHeaders,
    mount: (work) => [receiving(work, timestampedSignature({ header: "Stripe-Signature" }))],
  },
  { name: "octokit", timed: false, sign: githubHeaders, mount: (work) => [byOctokit(work)] },
  {
    name: "stripe",
    timed: true,
    sign: stripeHeaders,
    mount: (work) => [raw, verifying(work, (req) => stripe.webhooks.constructEvent(...inputs(req), SECRET))],
  },
  {
    name: "svix",
    timed: true,
    sign: standardHeaders,
    mount: (work) => [
      raw,
      verifying(work, ({ body, headers }) => new SvixWebhook(SECRET).verify(body, strings(headers))),
    ],
  },
  {
    name: "standardwebhooks",
    timed: true,
    sign: standardHeaders,
    mount: (work) => [
      raw,
      verifying(work, ({ body, headers }) => new Webhook(SECRET).verify(body.toString(), strings(headers))),
    ],
  },
  {
    name: "tern",
    timed: true,
    sign: stripeHeaders,
    mount: (work) => [
      raw,
      createWebhookMiddleware({ platform: "stripe", secret: SECRET }) as unknown as RequestHandler,
      verifying(work, () => {}),
    ],
  },
  { name: "by hand", timed: false, sign: githubHeaders, mount: (work) => [raw, verifying(work, checkByHand)] },
];

function receiving(work: () => void, scheme: SignatureScheme): RequestHandler {
  return bluumHandler(createReceiver({ secret: SECRET, scheme, logger: false }).on("*", work));
}

function byOctokit(work: () => void): RequestHandler {
  const webhooks = new Webhooks({ secret: SECRET, log: { ...console, error() {}, warn() {} } });
  webhooks.on("push", work);
  return createNodeMiddleware(webhooks, { path: PATH }) as unknown as RequestHandler;
}

/** A route that verifies by throwing, then works and answers 204. */
function verifying(work: () => void, verify: (req: express.Request) => unknown): RequestHandler {
  return (req, res) => {
    try {
      verify(req);
    } catch {
      res.sendStatus(400);
      return;
    }
    work();
    res.sendStatus(204);
  };
}

function checkByHand({ body, headers }: express.Request): unknown {
  const expected = Buffer.from(`sha256=${hex(body)}`);
  const received = Buffer.from(String(headers["x-hub-signature-256"]));
  if (received.length !== expected.length || !timingSafeEqual(received, expected)) throw new Error("forged");
  return JSON.parse(body.toString());
}

function inputs({ body, headers }: express.Request): [Buffer, string] {
  return [body, String(headers["stripe-signature"])];
}

function strings(headers: express.Request["headers"]): Record<string, string> {
  return headers as Record<string, string>;
}

function githubHeaders({ body }: Signing): Record<string, string> {
  return { "x-github-event": "push", "x-github-delivery": "72d3162e", "x-hub-signature-256": `sha256=${hex(body)}` };
}

function stripeHeaders({ body, seconds }: Signing): Record<string, string> {
  return { "stripe-signature": `t=${seconds},v1=${hex(`${seconds}.`, body)}` };
}

function standardHeaders({ body, seconds }: Signing): Record<string, string> {
  const id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const mac = createHmac("sha256", key).update(`${id}.${seconds}.`).update(body).digest("base64");
  const headers = { id, timestamp: String(seconds), signature: `v1,${mac}` };
  return Object.fromEntries(
    ["webhook", "svix"].flatMap((set) => Object.entries(headers).map(([name, value]) => [`${set}-${name}`, value])),
  );
}

function hex(...parts: (string | Buffer)[]): string {
  const mac = createHmac("sha256", SECRET);
  for (const part of parts) mac.update(part);
  return mac.digest("hex");
}
