// Prints the changelog's section of a tag. Fails if the tag is not the package's version, or the changelog has no section for it.
//
//   node scripts/release-notes.mjs v1.2.3
import { readFileSync } from "node:fs";

const [tag] = process.argv.slice(2);
const { version, homepage } = JSON.parse(readFileSync("package.json", "utf8"));
if (tag !== `v${version}`) throw new Error(`${tag} is not v${version} of package.json`);

const sections = readFileSync("CHANGELOG.md", "utf8").split(/^## (?=\[)/m);
const section = sections.find((text) => text.startsWith(`[${version}] - `));
if (section === undefined) throw new Error(`CHANGELOG.md has no section "## [${version}] - <date>"`);

// Without its heading and the link references, and with links that work outside the repository.
const files = `${homepage.replace("#readme", "")}/blob/${tag}`;
const notes = section
  .replace(/^.*\n/, "")
  .replace(/^\[[^\]]+\]: .*\n?/gm, "")
  .replace(/\]\(#/g, `](${files}/CHANGELOG.md#`)
  .replace(/\]\((?!https:)/g, `](${files}/`);
process.stdout.write(`${notes.trim()}\n`);
