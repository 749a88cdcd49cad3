import type { CompletedCommand, CompletedOption } from "./commands.ts";

/** The completion script for fish, with descriptions. */
export function fishCompletion(name: string, commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap((command) => {
    const when = conditionOf(command, commands);
    const start = `complete -c ${name} -n '${when}'`;
    return [
      ...command.words.map(({ text, description }) => `${start} -f -a '${text}'${descriptionFlag(description)}`),
      ...(command.takesFiles ? [`${start} -F`] : []),
      ...command.options.map(
        (option) => `${start} ${flags(option)}${argumentOf(option)}${descriptionFlag(option.description)}`,
      ),
    ];
  });
  return `# fish completion for ${name}; activate it with: ${name} completion fish | source
complete -c ${name} -f
${lines.join("\n")}
`;
}

/** The condition that a command is given, and none of its subcommands. */
function conditionOf({ path }: CompletedCommand, all: readonly CompletedCommand[]): string {
  const depth = path === "" ? 0 : path.split(" ").length;
  const below = all
    .map((other) => other.path)
    .filter(
      (other) => other !== "" && other.split(" ").length === depth + 1 && (path === "" || other.startsWith(`${path} `)),
    );
  const names = below.map((other) => other.split(" ").at(-1));
  const seen = path === "" ? [] : path.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  return [...seen, ...(names.length === 0 ? [] : [`not __fish_seen_subcommand_from ${names.join(" ")}`])].join(
    "; and ",
  );
}

function flags({ text, short }: CompletedOption): string {
  return `-l ${text.slice(2)}${short === undefined ? "" : ` -s ${short.slice(1)}`}`;
}

function argumentOf({ value }: CompletedOption): string {
  if (value === "none") return "";
  if (value === "file") return " -r -F";
  return value === "any" ? " -x" : ` -x -a '${value.join(" ")}'`;
}

function descriptionFlag(description: string): string {
  return description === "" ? "" : ` -d '${description}'`;
}
