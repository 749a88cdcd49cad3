import type { KnownOption, Vocabulary, Word } from "./vocabulary.ts";

/** The completion for zsh, with what each word is about. */
export function zshCompletion(name: string, vocabularies: readonly Vocabulary[]): string {
  const fn = `_${name.replaceAll("-", "_")}`;
  const paths = vocabularies.map(({ path }) => path).filter((path) => path !== "");
  return `#compdef ${name}
# zsh completion for ${name}; put it into effect with: source <(${name} completion zsh)
${fn}() {
  local cur="\${words[CURRENT]}" prev="\${words[CURRENT-1]}" place="" i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case "\${place:+$place }\${words[i]}" in
      ${paths.map((path) => `"${path}"`).join(" | ")}) place="\${place:+$place }\${words[i]}" ;;
    esac
  done
  case "$place:$prev" in
${vocabularies.flatMap(({ path, options }) => options.flatMap((option) => valueCase(path, option))).join("\n")}
  esac
  case "$place" in
${vocabularies.map(wordsCase).join("\n")}
  esac
  _describe '${name}' found
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef ${fn} ${name}
`;
}

function valueCase(path: string, { text, short, value }: KnownOption): string[] {
  if (value === "none") return [];
  const patterns = [text, short].filter((flag) => flag !== undefined).map((flag) => `"${path}:${flag}"`);
  const reply = typeof value === "string" ? (value === "file" ? "_files; " : "") : `compadd -- ${value.join(" ")}; `;
  return [`    ${patterns.join(" | ")}) ${reply}return ;;`];
}

function wordsCase({ path, words, options, takesFiles }: Vocabulary): string {
  const files = takesFiles ? `[[ "$cur" == -* ]] || { _files; return; }; ` : "";
  return `    "${path}") ${files}found=(${[...words, ...options].map(described).join(" ")}) ;;`;
}

function described({ text, about }: Word): string {
  return `'${text}${about === "" ? "" : `:${about}`}'`;
}
