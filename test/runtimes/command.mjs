import { execFile } from "node:child_process";

const TIMEOUT_MS = 300_000;

/**
 * Runs a command to its end.
 *
 * @returns its standard output
 * @throws with its whole output, if it fails
 */
export function command(file, args, cwd) {
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`failed: ${file} ${args.join(" ")}\n${error.message}\n${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}
