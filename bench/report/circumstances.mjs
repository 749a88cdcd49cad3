// Where and when a run was made: without this its figures say little.
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";

export function circumstances(effort) {
  return {
    effort,
    date: new Date().toISOString(),
    commit: commit(),
    node: process.versions.node,
    openssl: process.versions.openssl,
    machine: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}`,
  };
}

function commit() {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "unknown";
  }
}
