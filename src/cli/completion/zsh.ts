import type { CompletedCommand, CompletedOption, Word } from "./commands.ts";

/** The completion script for zsh, with descriptions. */
export function zshCompletion(name: string, commands: readonly CompletedCommand[]): string {
  const fn = `_${name.replaceAll("-", "_")}`;
  const paths = commands.map(({ path }) => path).filter((path) => path !== "");
  return `#compdef ${name}
# zsh completion for ${name}; activate it with: source <(${name} completion zsh)
${fn}() {
  local cur="\${words[CURRENT]}" prev="\${words[CURRENT-1]}" place="" i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case "\${place:+$place }\${words[i]}" in
      ${paths.map((path) => `"${path}"`).join(" | ")}) place="\${place:+$place }\${words[i]}" ;;
    esac
  done
  case "$place:$prev" in
${commands.flatMap(({ path, options }) => options.flatMap((option) => valueCase(path, option))).join("\n")}
  esac
  case "$place" in
${commands.map(wordsCase).join("\n")}
  esac
  _describe '${name}' found
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef ${fn} ${name}
`;
}

function valueCase(path: string, { text, short, value }: CompletedOption): string[] {
  if (value === "none") return [];
  const patterns = [text, short].filter((flag) => flag !== undefined).map((flag) => `"${path}:${flag}"`);
  const reply = typeof value === "string" ? (value === "file" ? "_files; " : "") : `compadd -- ${value.join(" ")}; `;
  return [`    ${patterns.join(" | ")}) ${reply}return ;;`];
}

function wordsCase({ path, words, options, takesFiles }: CompletedCommand): string {
  const files = takesFiles ? `[[ "$cur" == -* ]] || { _files; return; }; ` : "";
  return `    "${path}") ${files}found=(${[...words, ...options].map(describedWord).join(" ")}) ;;`;
}

function describedWord({ text, description }: Word): string {
  return `'${text}${description === "" ? "" : `:${description}`}'`;
}
