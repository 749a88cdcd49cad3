import type { Argument, Command, Option } from "commander";

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

function choicesOf({ argChoices = [] }: Argument): Word[] {
  return argChoices.map((text) => ({ text, about: "" }));
}

function knownOption(option: Option): KnownOption {
  const takesValue = option.required || option.optional;
  const value = option.argChoices ?? (namesFile(option.flags) ? "file" : "any");
  return {
    text: option.long as string,
    about: brief(option.description),
    short: option.short,
    value: takesValue ? value : "none",
  };
}

/** Options and arguments say by their names that they take files. */
function namesFile(name: string): boolean {
  return /file|folder|path>|capture|--data/.test(name) && !/^--path /.test(name);
}

/** The first sentence, without what shells would take for their own. */
function brief(text: string): string {
  return (text.split(/[.;:(]/, 1)[0] ?? "").replace(/['"`$\\[\]]/g, "").trim();
}
