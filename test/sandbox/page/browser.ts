import { afterEach } from "vitest";
import { describeInBrowser, type Open } from "../../page/browser.ts";
import { PageServer } from "./server.ts";

export { screenshotPath } from "../../page/browser.ts";

/** What a test of the page works with. */
export interface Bench {
  readonly open: Open;
  /** Starts a scripted sandbox that stops after the test. */
  readonly serve: (...world: Parameters<typeof PageServer.start>) => Promise<PageServer>;
}

/** A suite in a real browser; skipped with a message if there is no browser. */
export function describePage(name: string, tests: (bench: Bench) => void): void {
  describeInBrowser(name, (open) => {
    let servers: PageServer[] = [];
    afterEach(async () => {
      await Promise.all(servers.map((server) => server.close()));
      servers = [];
    });
    tests({
      open,
      serve: async (...world) => {
        const server = await PageServer.start(...world);
        servers.push(server);
        return server;
      },
    });
  });
}
