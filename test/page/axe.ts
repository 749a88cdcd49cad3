import axe from "axe-core";
import type { Page } from "playwright-core";

/** The serious and critical findings of axe-core on a page that was opened with `bypassCSP`, and how many rules it passes. */
export async function graveFindings(page: Page): Promise<{ readonly grave: unknown[]; readonly passes: number }> {
  // Colours that still fade have another contrast.
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {}))));
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return {
    grave: grave.map(({ id, nodes }) => [id, nodes.length, nodes[0]?.html, nodes[0]?.failureSummary]),
    passes: passes.length,
  };
}
