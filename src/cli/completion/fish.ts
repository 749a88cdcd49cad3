import type { KnownOption, Vocabulary } from "./vocabulary.ts";

/** The completion for fish, with what each word is about. */
export function fishCompletion(name: string, vocabularies: readonly Vocabulary[]): string {
  const lines = vocabularies.flatMap((vocabulary) => {
    const when = conditionOf(vocabulary, vocabularies);
    const start = `complete -c ${name} -n '${when}'`;
    return [
      ...vocabulary.words.map(({ text, about }) => `${start} -f -a '${text}'${described(about)}`),
      ...(vocabulary.takesFiles ? [`${start} -F`] : []),
      ...vocabulary.options.map((option) => `${start} ${flags(option)}${argumentOf(option)}${described(option.about)}`),
    ];
  });
  return `# fish completion for ${name}; put it into effect with: ${name} completion fish | source
complete -c ${name} -f
${lines.join("\n")}
`;
}

/** Holds where a command has been named and none of its own commands. */
function conditionOf({ path }: Vocabulary, all: readonly Vocabulary[]): string {
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

function flags({ text, short }: KnownOption): string {
  return `-l ${text.slice(2)}${short === undefined ? "" : ` -s ${short.slice(1)}`}`;
}

function argumentOf({ value }: KnownOption): string {
  if (value === "none") return "";
  if (value === "file") return " -r -F";
  return value === "any" ? " -x" : ` -x -a '${value.join(" ")}'`;
}

function described(about: string): string {
  return about === "" ? "" : ` -d '${about}'`;
}
