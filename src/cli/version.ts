import { readFileSync } from "node:fs";

/** The manifest, relative to the source and to the build. */
const MANIFESTS = ["../../package.json", "../../../package.json"];

/** The version of this package, from its manifest. */
export function packageVersion(): string {
  for (const manifest of MANIFESTS) {
    const version = versionIn(new URL(manifest, import.meta.url));
    if (version !== undefined) return version;
  }
  return "unknown";
}

function versionIn(manifest: URL): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(manifest, "utf8"));
    return name === "bluum-webhooks" ? version : undefined;
  } catch {
    return undefined;
  }
}
