import { inTemplate, literal } from "./code-text.ts";
import type { Sketch } from "./custom-sketch.ts";

/** The function that makes the MAC, or what a key pair signs. */
export function contentCode(sketch: Sketch): string[] {
  return sketch.hasKeyPair ? signedContent(sketch) : mac(sketch);
}

function mac(sketch: Sketch): string[] {
  const { before, after } = templates(sketch);
  const updates = [...before, "body", ...after].map((part) => `.update(${part})`);
  return [
    "/** The HMAC of what the provider signs. */",
    `function mac(key: Buffer, ${parameters(sketch)}): Buffer {`,
    `  return createHmac(${literal(sketch.hypothesis.algorithm)}, key)${updates.join("")}.digest();`,
    "}",
  ];
}

function signedContent(sketch: Sketch): string[] {
  const { before, after } = templates(sketch);
  const bytes = (template: string) => `Buffer.from(${template})`;
  return [
    "/** What the provider signs. */",
    `function signedContent(${parameters(sketch)}): Buffer {`,
    `  return Buffer.concat([${[...before.map(bytes), "body", ...after.map(bytes)].join(", ")}]);`,
    "}",
  ];
}

function parameters({ names }: Sketch): string {
  return [...names.map((name) => `${name}: string`), "body: Uint8Array"].join(", ");
}

/** What stands before and after the body, each as a template literal, or none where nothing does. */
function templates({ hypothesis: { content } }: Sketch): { before: string[]; after: string[] } {
  const texts = content.map((part) => {
    if (part.kind === "text") return inTemplate(part.text);
    if (part.kind === "method") return "POST";
    return `\${${part.kind === "url" ? "URL_SIGNED" : part.kind}}`;
  });
  const body = content.findIndex(({ kind }) => kind === "body");
  const template = (parts: readonly string[]) => (parts.length > 0 ? [`\`${parts.join("")}\``] : []);
  return { before: template(texts.slice(0, body)), after: template(texts.slice(body + 1)) };
}
