import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { ROOT } from "../docs/markdown.ts";
import { type Ended, type RunningExample, startExample } from "./programs.ts";

const secret = "the secret of the examples' endpoint";

/** The behaviour of every example, run as a program and called over HTTP. */
export function exampleContract(name: string): void {
  describe(`examples/${name}`, () => {
    let example: RunningExample;
    let ended: Ended;
    const order = sign(sampleEvent("order.filled", { data: { id: "ord_of_the_test" } }));

    beforeAll(async () => {
      example = await startExample(name, { BLUUM_WEBHOOK_SECRET: secret });
    });
    afterAll(async () => {
      ended ??= await example.stop();
    });

    it("takes a signed delivery", async () => {
      expect([200, 204]).toContain((await post(order)).status);
    });

    it("acknowledges its duplicate", async () => {
      const response = await post(order);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ received: true, duplicate: true });
    });

    it("refuses a forged delivery", async () => {
      const forged = sign(sampleEvent("order.filled", { data: { id: "ord_forged" } }), "a secret of somebody else");
      const response = await post(forged);
      expect(response.status).toBe(401);
      expect(await response.json()).toEqual({ error: { code: "signature_mismatch" } });
    });

    it("exits in order when it is asked to, having processed the event once", async () => {
      ended = await example.stop();
      expect(ended.code).toBe(0);
      expect(ended.output.match(/ord_of_the_test filled/g)).toHaveLength(1);
      expect(ended.output).not.toContain("ord_forged");
      expect(ended.output).toMatch(/closed\n$/);
    });

    it("lists exactly its imports in its package.json", () => {
      const text = readFileSync(`${ROOT}examples/${name}/app.mjs`, "utf8");
      const imported = [...text.matchAll(/from "((?!node:)(?:@[^/"]+\/)?[^/"]+)/g)].map(([, dependency]) => dependency);
      const { dependencies } = JSON.parse(readFileSync(`${ROOT}examples/${name}/package.json`, "utf8"));
      expect(Object.keys(dependencies).sort()).toEqual([...new Set(imported)].sort());
    });

    function post(delivery: ReturnType<typeof sign>): Promise<Response> {
      return fetch(`${example.url}/webhooks/bluum`, delivery);
    }
  });
}

function sign(event: object, by: string = secret) {
  return signDelivery({ secret: by, event });
}
