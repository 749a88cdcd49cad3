import type { Buffer } from "node:buffer";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { NamedCapture } from "../capture.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { printable } from "../printable.ts";
import { parseCaptures } from "./capture-formats.ts";

const MEBIBYTE = 1024 * 1024;
/** Enough for a delivery of 1 MiB as base64 in JSON. */
const MAX_FILE_BYTES = 16 * MEBIBYTE;
const MAX_FILES = 500;
const MAX_TOTAL_BYTES = 64 * MEBIBYTE;
/** The files of a folder that are read. A file that is given by its path may have any name. */
const CAPTURE_FILE = /\.(json|har|http|txt|raw)$/i;

/**
 * Reads the captures in files and folders.
 *
 * @throws CommandFailed `usage`, naming the file that cannot be read
 */
export async function readCaptures(paths: readonly string[]): Promise<NamedCapture[]> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  if (files.length > MAX_FILES) throw refused(`${files.length} files are too many; the limit is ${MAX_FILES}.`);
  const captures: NamedCapture[] = [];
  let totalBytes = 0;
  for (const file of files) {
    const content = await readContent(file);
    totalBytes += content.bytes.byteLength;
    if (totalBytes > MAX_TOTAL_BYTES)
      throw refused(`the files are too large together; the limit is ${MAX_TOTAL_BYTES / MEBIBYTE} MiB.`);
    captures.push(...capturesIn(file, content));
  }
  if (captures.length === 0)
    throw refused(`there is no capture in ${paths.map((path) => printable(path)).join(", ")}.`);
  return captures;
}

async function filesAt(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path);
    return names
      .filter((name) => CAPTURE_FILE.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

interface FileContent {
  readonly bytes: Buffer;
  /** ISO 8601. */
  readonly modifiedAt: string;
}

async function readContent(path: string): Promise<FileContent> {
  try {
    const { size, mtime } = await stat(path);
    if (size > MAX_FILE_BYTES) throw refused(`${printable(path)} is larger than ${MAX_FILE_BYTES / MEBIBYTE} MiB.`);
    return { bytes: await readFile(path), modifiedAt: mtime.toISOString() };
  } catch (cause) {
    if (cause instanceof CommandFailed) throw cause;
    throw unreadable(path, cause);
  }
}

function capturesIn(path: string, { bytes, modifiedAt }: FileContent): NamedCapture[] {
  const captures = parseCaptures(bytes, modifiedAt);
  if (typeof captures === "string") throw refused(`${printable(path)} ${captures}.`);
  const name = printable(basename(path));
  return captures.map((capture, index) => ({ name: captures.length > 1 ? `${name}#${index + 1}` : name, capture }));
}

function unreadable(path: string, cause: unknown): CommandFailed {
  const { code = "unknown" } = cause as NodeJS.ErrnoException;
  return refused(`${printable(path)} cannot be read (${code}).`, cause);
}

function refused(message: string, cause?: unknown): CommandFailed {
  return new CommandFailed(message, EXIT.usage, { code: "capture_unreadable", cause });
}
