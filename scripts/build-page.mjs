// Builds the sandbox's inspector page into one file that loads nothing else. Its Content-Security-Policy allows its script and its style by
// hash, so that no data from the server can run as code. A meta element cannot set frame-ancestors; the server's header does.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { build } from "rolldown";

const PAGE = "src/sandbox/page";
const TARGET = "dist/src/sandbox/page.html";

/**
 * Writes the page to the path from which the sandbox serves it.
 *
 * @returns the modules that its script contains
 */
export async function buildPage() {
  const { script, moduleIds } = await bundledScript();
  const style = joinedStyle();
  const html = readFileSync(`${PAGE}/page.html`, "utf8")
    .replace("__policy__", policyFor(script, style))
    .replace("</style>", () => `${style}</style>`)
    .replace("</script>", () => `${script}</script>`);
  mkdirSync(dirname(TARGET), { recursive: true });
  writeFileSync(TARGET, html);
  return moduleIds;
}

async function bundledScript() {
  const {
    output: [{ code, moduleIds }],
  } = await build({
    input: `${PAGE}/main.tsx`,
    platform: "browser",
    logLevel: "warn",
    write: false,
    transform: { target: "es2023", define: { "process.env.NODE_ENV": '"production"' } },
    output: { format: "esm", minify: true, comments: false },
  });
  // A script element ends at the first "</script", even inside a string.
  return { script: code.replaceAll("</script", "<\\/script").trim(), moduleIds };
}

/** The style sheets in the order of their names, without comments and needless white space. */
function joinedStyle() {
  return readdirSync(`${PAGE}/style`)
    .sort()
    .map((name) => readFileSync(`${PAGE}/style/${name}`, "utf8"))
    .join("\n")
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,]) ?/g, "$1")
    .trim();
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
