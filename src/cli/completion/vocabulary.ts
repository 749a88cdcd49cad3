import type { Argument, Command, Option } from "commander";
import { KNOWN_EVENT_TYPES } from "../../index.ts";
import { SCENARIOS } from "../scenarios.ts";

/** What can be typed after a command's name, as far as shells are to know. */
export interface Vocabulary {
  /** The command's whole name, such as `endpoints list`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly options: readonly KnownOption[];
  /** Whether its arguments may be files. */
  readonly takesFiles: boolean;
}

/** Something to complete, and what it is. */
export interface Word {
  readonly text: string;
  readonly about: string;
}

/** An option, and what follows it: nothing, a file, one of some words, or anything. */
export interface KnownOption extends Word {
  /** Such as `-p`. */
  readonly short: string | undefined;
  readonly value: "none" | "file" | "any" | readonly string[];
}

/** The vocabulary of a program and all its commands. */
export function vocabulariesOf(command: Command, path = "", inherited: readonly Option[] = []): Vocabulary[] {
  const help = command.createHelp();
  const options = [...help.visibleOptions(command), ...inherited].filter((option) => option.long !== undefined);
  const commands = help.visibleCommands(command).filter((child) => child.name() !== "help");
  const subcommands = commands.map((child) => ({
    text: child.name(),
    about: brief(child.summary() || child.description()),
  }));
  const own: Vocabulary = {
    path,
    words: [...subcommands, ...command.registeredArguments.flatMap(choicesOf)],
    options: options.map(knownOption),
    takesFiles: command.registeredArguments.some((argument) => namesFile(argument.name())),
  };
  const global = [...inherited, ...command.options.filter(({ long }) => long !== "--version")];
  return [own, ...commands.flatMap((child) => vocabulariesOf(child, `${path} ${child.name()}`.trim(), global))];
}

function choicesOf(argument: Argument): Word[] {
  if (argument.name() === "event") return [...KNOWN_EVENT_TYPES.map(plain), ...scenarios()];
  return (argument.argChoices ?? []).map(plain);
}

function scenarios(): Word[] {
  return Object.entries(SCENARIOS).map(([text, { title }]) => ({ text, about: brief(title) }));
}

function plain(text: string): Word {
  return { text, about: "" };
}

function knownOption(option: Option): KnownOption {
  const takesValue = option.required || option.optional;
  const suggested = option.long === "--event" ? KNOWN_EVENT_TYPES : option.argChoices;
  const value = suggested ?? (namesFile(option.flags) ? "file" : "any");
  return {
    text: option.long as string,
    about: brief(option.description),
    short: option.short,
    value: takesValue ? value : "none",
  };
}

/** Options and arguments say by their names that they take files, or events. */
function namesFile(name: string): boolean {
  return /file|folder|path>|capture|--data/.test(name) && !/^--path /.test(name);
}

/** The first sentence, without what shells would take for their own. */
function brief(text: string): string {
  const [sentence = ""] = text.split(/[.;:(]/, 1);
  return sentence
    .replace(/['`]/g, "’")
    .replace(/["$\\[\]]/g, "")
    .trim();
}
