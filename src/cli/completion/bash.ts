import type { CompletedCommand, CompletedOption } from "./commands.ts";

/** The completion script for bash 3.2 and later. It needs no bash-completion and starts no process. */
export function bashCompletion(name: string, commands: readonly CompletedCommand[]): string {
  const fn = `_${name.replaceAll("-", "_")}`;
  const paths = commands.map(({ path }) => path).filter((path) => path !== "");
  return `# bash completion for ${name}; activate it with: source <(${name} completion bash)
${fn}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${path:+$path }\${COMP_WORDS[i]}" in
      ${paths.map((path) => `"${path}"`).join(" | ")}) path="\${path:+$path }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path:$prev" in
${commands.flatMap(({ path, options }) => options.flatMap((option) => valueCase(path, option))).join("\n")}
  esac
  case "$path" in
${commands.map(wordsCase).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F ${fn} ${name}
`;
}

/** The case for the value of an option. */
function valueCase(path: string, { text, short, value }: CompletedOption): string[] {
  if (value === "none") return [];
  const patterns = [text, short].filter((flag) => flag !== undefined).map((flag) => `"${path}:${flag}"`);
  const reply =
    typeof value === "string"
      ? value === "file"
        ? FILES
        : ""
      : `COMPREPLY=($(compgen -W "${value.join(" ")}" -- "$cur")); `;
  return [`    ${patterns.join(" | ")}) ${reply}return ;;`];
}

const FILES = 'compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -f -- "$cur")); ';

function wordsCase({ path, words, options, takesFiles }: CompletedCommand): string {
  const files = takesFiles ? `[[ "$cur" == -* ]] || { ${FILES}return; }; ` : "";
  const all = [...words, ...options].map(({ text }) => text);
  return `    "${path}") ${files}words="${all.join(" ")}" ;;`;
}
