import { describe, expect, it } from "vitest";
import { bluumWebhooks as expressWebhooks } from "../../adapters/express.ts";
import { bluumWebhooks as fastifyWebhooks } from "../../adapters/fastify.ts";
import { bluumWebhooks as honoWebhooks } from "../../adapters/hono.ts";
import { bluumWebhooks as koaWebhooks } from "../../adapters/koa.ts";
import type { Receiver } from "../../src/index.ts";
import { listInbox } from "../pipeline/list-inbox.ts";
import { bench, SECRET } from "../pipeline/receiving.ts";

describe("bluumWebhooks of a receiver with an inbox", () => {
  it.each<[string, (receiver: Receiver) => unknown]>([
    ["Express", expressWebhooks],
    ["Koa", koaWebhooks],
    ["Hono", honoWebhooks],
    ["Fastify", fastifyWebhooks],
  ])("is refused when it is mounted on %s, saying what to do", (_, mount) => {
    const { receiver } = bench({ namespace: "orders-api", inbox: listInbox() });
    expect(() => mount(receiver)).toThrow(/needs a receiver without an inbox; .* mount bluumHandler\(receiver\)/);
    const options = { secret: SECRET, namespace: "orders-api", inbox: listInbox() };
    expect(() => mount(options as never)).toThrow(/needs a receiver without an inbox/);
  });
});
