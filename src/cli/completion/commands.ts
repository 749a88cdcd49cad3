import type { Argument, Command, Option } from "commander";
import { KNOWN_EVENT_TYPES } from "../../index.ts";
import { SCENARIOS } from "../scenarios.ts";

/** The words that can follow a command's name. */
export interface CompletedCommand {
  /** The command's full name, such as `endpoints list`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly options: readonly CompletedOption[];
  /** Whether its arguments are files. */
  readonly takesFiles: boolean;
}

/** A word and its description. */
export interface Word {
  readonly text: string;
  readonly description: string;
}

/** An option, and its value: none, a file, one of several words, or any text. */
export interface CompletedOption extends Word {
  /** The short form, such as `-p`. */
  readonly short: string | undefined;
  readonly value: "none" | "file" | "any" | readonly string[];
}

/** A program and all its commands. */
export function completedCommands(command: Command, path = "", inherited: readonly Option[] = []): CompletedCommand[] {
  const help = command.createHelp();
  const options = [...help.visibleOptions(command), ...inherited].filter((option) => option.long !== undefined);
  const commands = help.visibleCommands(command).filter((child) => child.name() !== "help");
  const subcommands = commands.map((child) => ({
    text: child.name(),
    description: brief(child.summary() || child.description()),
  }));
  const own: CompletedCommand = {
    path,
    words: [...subcommands, ...command.registeredArguments.flatMap(choicesOf)],
    options: options.map(completedOption),
    takesFiles: command.registeredArguments.some((argument) => takesFile(argument.name())),
  };
  const global = [...inherited, ...command.options.filter(({ long }) => long !== "--version")];
  return [own, ...commands.flatMap((child) => completedCommands(child, `${path} ${child.name()}`.trim(), global))];
}

function choicesOf(argument: Argument): Word[] {
  if (argument.name() === "event") return [...KNOWN_EVENT_TYPES.map(word), ...scenarios()];
  return (argument.argChoices ?? []).map(word);
}

function scenarios(): Word[] {
  return Object.entries(SCENARIOS).map(([text, { title }]) => ({ text, description: brief(title) }));
}

function word(text: string): Word {
  return { text, description: "" };
}

function completedOption(option: Option): CompletedOption {
  const takesValue = option.required || option.optional;
  const choices = option.long === "--event" ? KNOWN_EVENT_TYPES : option.argChoices;
  const value = choices ?? (takesFile(option.flags) ? "file" : "any");
  return {
    text: option.long as string,
    description: brief(option.description),
    short: option.short,
    value: takesValue ? value : "none",
  };
}

/** Whether an option or argument takes a file, by its name. */
function takesFile(name: string): boolean {
  return /file|folder|path>|capture|--data/.test(name) && !/^--path /.test(name);
}

/** The first sentence, without characters that are special in a shell. */
function brief(text: string): string {
  const [sentence = ""] = text.split(/[.;:(]/, 1);
  return sentence
    .replace(/['`]/g, "’")
    .replace(/["$\\[\]]/g, "")
    .trim();
}
