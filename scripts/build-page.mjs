// Builds each page into one file that loads nothing else. Its Content-Security-Policy allows its script and its style by hash, so that no
// data from the server can run as code. A meta element cannot set frame-ancestors; the server's header does.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { build } from "rolldown";

/** What all pages share. */
const SHARED = "src/page";

/** The pages: where the source of each is, its title, and the path from which it is served. */
const PAGES = [
  { source: "src/sandbox/page", title: "Sandbox", target: "dist/src/sandbox/page.html" },
  { source: "src/inbox/page/browser", title: "Inbox", target: "dist/src/inbox/page.html" },
];

/**
 * Writes the pages.
 *
 * @returns the modules that their scripts contain
 */
export async function buildPages() {
  return (await Promise.all(PAGES.map(buildPage))).flat();
}

async function buildPage({ source, title, target }) {
  const { script, moduleIds } = await bundledScript(source);
  const style = joinedStyle(source);
  const html = readFileSync(`${SHARED}/page.html`, "utf8")
    .replace("__title__", title)
    .replace("__policy__", policyFor(script, style))
    .replace("</style>", () => `${style}</style>`)
    .replace("</script>", () => `${script}</script>`);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, html);
  return moduleIds;
}

async function bundledScript(source) {
  const {
    output: [{ code, moduleIds }],
  } = await build({
    input: `${source}/main.tsx`,
    platform: "browser",
    logLevel: "warn",
    write: false,
    transform: { target: "es2023", define: { "process.env.NODE_ENV": '"production"' } },
    output: { format: "esm", minify: true, comments: false },
  });
  // A script element ends at the first "</script", even inside a string.
  return { script: code.replaceAll("</script", "<\\/script").trim(), moduleIds };
}

/** The shared style sheets, then those of the page, each in the order of their names; without comments and needless white space. */
function joinedStyle(source) {
  return [`${SHARED}/style`, `${source}/style`]
    .flatMap(filesIn)
    .map((path) => readFileSync(path, "utf8"))
    .join("\n")
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,]) ?/g, "$1")
    .trim();
}

function filesIn(folder) {
  return readdirSync(folder)
    .sort()
    .map((name) => `${folder}/${name}`);
}

function policyFor(script, style) {
  return [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

function hashOf(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
