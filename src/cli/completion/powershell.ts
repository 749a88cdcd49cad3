import type { CompletedCommand, CompletedOption, Word } from "./commands.ts";

/** The completion script for PowerShell 5 and later, with descriptions. PowerShell completes files by itself if it gets no words. */
export function powershellCompletion(name: string, commands: readonly CompletedCommand[]): string {
  return `# PowerShell completion for ${name}; activate it with: ${name} completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName '${name}' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $known = @{
${commands.map((command) => `    '${command.path}' = @(${results(command)})`).join("\n")}
  }
  $values = @{
${commands.flatMap(({ path, options }) => options.flatMap((option) => values(path, option))).join("\n")}
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

function results({ words, options, takesFiles }: CompletedCommand): string {
  return [...(takesFiles ? [] : words), ...options].map(result).join(", ");
}

function values(path: string, { text, short, value }: CompletedOption): string[] {
  if (value === "none") return [];
  const found =
    typeof value === "string" ? "" : value.map((word) => result({ text: word, description: "" })).join(", ");
  return [text, short].filter((flag) => flag !== undefined).map((flag) => `    '${path}:${flag}' = @(${found})`);
}

/** A completion result; PowerShell requires a description. */
function result({ text, description }: Word): string {
  return `@{ Text = '${text}'; About = '${description === "" ? text : description}' }`;
}
