// Writes the API reference of every door of the package, from its docstrings, into .tmp/docs-api. A broken link, a type that readers
// cannot reach, and a tag that TypeDoc does not know are errors.
//
//   node scripts/docs.mjs [folder]
import { readFileSync } from "node:fs";
import { register } from "node:module";

// TypeDoc needs TypeScript's API, which TypeScript 7 does not have.
register("./docs/use-typescript-5.9.mjs", import.meta.url);
const { Application } = await import("typedoc");

const { exports, homepage, version } = JSON.parse(readFileSync("package.json", "utf8"));
const doors = Object.values(exports).filter((target) => target !== "./package.json");
const sourceOf = (target) => target.replace("./dist/", "").replace(/\.js$/, ".ts");

const app = await Application.bootstrap({
  name: "bluum-webhooks",
  entryPoints: doors.map(sourceOf),
  tsconfig: "tsconfig.json",
  skipErrorChecking: true, // `npm run typecheck` does it, with another TypeScript
  readme: "none",
  excludePrivate: true,
  excludeInternal: true,
  excludeExternals: true,
  disableGit: true, // an archive without history will do
  gitRevision: `v${version}`,
  sourceLinkTemplate: `${homepage.replace("#readme", "")}/blob/{gitRevision}/{path}#L{line}`,
  githubPages: false,
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
  validation: { invalidLink: true, notExported: true, unusedMergeModuleWith: true },
  // Helpers of other types: readers need not write them.
  intentionallyNotExported: [
    "adapters/express.ts:ErrorMiddleware",
    "adapters/express.ts:Next",
    "src/bluum/catalogue.ts:Open",
    "src/bluum/envelope.ts:Payload",
    "src/client/json.ts:JsonObject",
    "src/delivery.ts:HeaderRecord",
    "src/events/event.ts:ActionOf",
    "src/events/event.ts:DomainOf",
    "src/events/event.ts:IsOpen",
    "src/events/pattern.ts:KnownDomain",
    "src/events/pattern.ts:PrefixOf",
    "src/testing/inbox-contract/trial.ts:Reconnect",
  ],
});
const project = await app.convert();
if (project === undefined) process.exit(1);
app.validate(project);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
await app.generateDocs(project, process.argv[2] ?? ".tmp/docs-api");
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
