import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe } from "vitest";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The Chromium at CHROMIUM_PATH, or else on the PATH. */
function findChromium(): string | undefined {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

const executablePath = findChromium();
const MISSING = "no Chromium on the PATH, and CHROMIUM_PATH names none";
if (executablePath === undefined && process.env.CI === "true") throw new Error(`The pages must be tested: ${MISSING}.`);
if (executablePath === undefined) console.warn(`The pages are not tested: ${MISSING}.`);

/** Opens the page of a server, with empty storage. */
export type Open = (
  server: { readonly url: string },
  options?: BrowserContextOptions & { readonly hash?: string },
) => Promise<Page>;

/** A suite in a real browser; skipped with a message if there is no browser. */
export function describeInBrowser(name: string, tests: (open: Open) => void): void {
  describe.skipIf(executablePath === undefined)(name, () => {
    let browser: Browser;

    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: executablePath as string,
        args: ["--no-sandbox", "--enable-precise-memory-info"],
      });
    }, 60_000);
    afterAll(() => browser?.close());
    afterEach(async () => void (await Promise.all(browser.contexts().map((context) => context.close()))));

    tests(async (server, { hash = "", ...options } = {}) => {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        locale: "en-GB",
        timezoneId: "UTC",
        ...options,
      });
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      await page.goto(server.url + hash);
      return page;
    });
  });
}

const SCREENSHOTS = fileURLToPath(new URL("../../.tmp/screenshots/", import.meta.url));

/** The path of a screenshot. */
export function screenshotPath(name: string): string {
  mkdirSync(SCREENSHOTS, { recursive: true });
  return `${SCREENSHOTS}${name}.png`;
}
