import type { KnownOption, Vocabulary, Word } from "./vocabulary.ts";

/** The completion for PowerShell 5 and later, with what each word is about. Files it completes by itself where nothing is offered. */
export function powershellCompletion(name: string, vocabularies: readonly Vocabulary[]): string {
  return `# PowerShell completion for ${name}; put it into effect with: ${name} completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName '${name}' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $known = @{
${vocabularies.map((vocabulary) => `    '${vocabulary.path}' = @(${offers(vocabulary)})`).join("\n")}
  }
  $values = @{
${vocabularies.flatMap(({ path, options }) => options.flatMap((option) => values(path, option))).join("\n")}
  }
  $typed = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $path = ''
  foreach ($word in $typed) {
    $longer = ("$path $word").Trim()
    if ($known.ContainsKey($longer)) { $path = $longer }
  }
  $previous = if ($typed.Count -gt 0) { $typed[-1] } else { '' }
  $found = if ($values.ContainsKey("\${path}:$previous")) { $values["\${path}:$previous"] } else { $known[$path] }
  $found | Where-Object { $_.Text -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_.Text, $_.Text, 'ParameterValue', $_.About)
  }
}
`;
}

function offers({ words, options, takesFiles }: Vocabulary): string {
  return [...(takesFiles ? [] : words), ...options].map(offer).join(", ");
}

function values(path: string, { text, short, value }: KnownOption): string[] {
  if (value === "none") return [];
  const found = typeof value === "string" ? "" : value.map((word) => offer({ text: word, about: "" })).join(", ");
  return [text, short].filter((flag) => flag !== undefined).map((flag) => `    '${path}:${flag}' = @(${found})`);
}

/** A result needs a word about it. */
function offer({ text, about }: Word): string {
  return `@{ Text = '${text}'; About = '${about === "" ? text : about}' }`;
}
