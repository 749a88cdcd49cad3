import type { Buffer } from "node:buffer";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { NamedCapture } from "../detect.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { printable } from "../printable.ts";
import { jsonCaptures } from "./json-capture.ts";
import { isRawRequest, rawRequest } from "./raw-request.ts";

const MEBIBYTE = 1024 * 1024;
/** A delivery of 1 MiB as base64 in JSON, and room. */
const MAX_FILE_BYTES = 16 * MEBIBYTE;
const MAX_FILES = 500;
const MAX_TOTAL_BYTES = 64 * MEBIBYTE;
/** What is looked at in a folder; a file that is named may be called anything. */
const IN_FOLDERS = /\.(json|har|http|txt|raw)$/i;

/**
 * Reads the captures of files and folders: what `listen --save` writes, raw HTTP requests, and HAR.
 *
 * @throws CommandFailed `usage`, naming the file, for what cannot be read
 */
export async function readCaptures(paths: readonly string[]): Promise<NamedCapture[]> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  if (files.length > MAX_FILES) throw refused(`${files.length} files are too many; ${MAX_FILES} are the most.`);
  const captures: NamedCapture[] = [];
  let totalBytes = 0;
  for (const file of files) {
    const content = await contentOf(file);
    totalBytes += content.bytes.byteLength;
    if (totalBytes > MAX_TOTAL_BYTES)
      throw refused(`the files are too large together; ${MAX_TOTAL_BYTES / MEBIBYTE} MiB are the most.`);
    captures.push(...capturesOf(file, content));
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
      .filter((name) => IN_FOLDERS.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function capturesOf(path: string, { bytes, changedAt }: FileContent): NamedCapture[] {
  const captures = capturesIn(bytes, changedAt);
  if (typeof captures === "string") throw refused(`${printable(path)} ${captures}.`);
  const name = printable(basename(path));
  return captures.map((capture, place) => ({ name: captures.length > 1 ? `${name}#${place + 1}` : name, capture }));
}

interface FileContent {
  readonly bytes: Buffer;
  readonly changedAt: string;
}

async function contentOf(path: string): Promise<FileContent> {
  try {
    const { size, mtime } = await stat(path);
    if (size > MAX_FILE_BYTES) throw refused(`${printable(path)} is larger than ${MAX_FILE_BYTES / MEBIBYTE} MiB.`);
    return { bytes: await readFile(path), changedAt: mtime.toISOString() };
  } catch (cause) {
    if (cause instanceof CommandFailed) throw cause;
    throw unreadable(path, cause);
  }
}

function capturesIn(bytes: Buffer, changedAt: string): ReturnType<typeof jsonCaptures> {
  if (isRawRequest(bytes)) {
    const capture = rawRequest(bytes, changedAt);
    return capture ? [capture] : "is an HTTP request whose body is not whole";
  }
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return "is neither JSON nor an HTTP request";
  }
  return jsonCaptures(value, changedAt);
}

function unreadable(path: string, cause: unknown): CommandFailed {
  const { code = "unknown" } = cause as NodeJS.ErrnoException;
  return refused(`${printable(path)} cannot be read (${code}).`, cause);
}

function refused(message: string, cause?: unknown): CommandFailed {
  return new CommandFailed(message, EXIT.usage, { code: "capture_unreadable", cause });
}
