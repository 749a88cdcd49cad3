// Writes the dashboard and the alert rules, from the metrics of src/telemetry/names.ts: `node scripts/observability.mjs`. The numbers of the
// alerts are in observability/thresholds.ts.
import { writeFileSync } from "node:fs";
import { build } from "rolldown";

// Not every Node that runs this can import TypeScript.
const { output } = await build({ input: "scripts/observability/files.ts", write: false, logLevel: "warn" });
const { FILES } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
for (const [path, text] of Object.entries(FILES)) writeFileSync(path, text);
