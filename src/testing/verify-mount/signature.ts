import { finding, type MountFinding } from "../mount-findings.ts";
import type { Answer } from "./answer.ts";
import { changedBody, nothingArrives } from "./body.ts";
import { type Candidate, HEADERS, presets, schemesOf } from "./candidate-schemes.ts";
import type { Mount } from "./mount.ts";
import { PLAIN } from "./pings.ts";

/** The receiver found no signature: it looks elsewhere, or what it looks for was dropped on the way. */
export async function noSignature(mount: Mount): Promise<MountFinding[]> {
  const ours = signatureHeader(mount);
  for (const { code, scheme } of presets()) {
    if (wasRead(await mount.signed(PLAIN, { scheme }))) return [wrongScheme(mount, code)];
  }
  const header = await headerThatIsRead(mount);
  if (header !== undefined) return otherHeader(mount, header);
  const known = `Neither does it take one of the ${HEADERS.length} other headers that were tried.`;
  return [finding("header_stripped", `The receiver got no ${ours}, though it was sent. ${known}`)];
}

/** A signature came, and is not in the form that the receiver expects. */
export async function malformedSignature(mount: Mount): Promise<MountFinding[]> {
  const header = signatureHeader(mount);
  const form = await formOf(mount, header);
  if (form !== undefined) return [wrongScheme(mount, form.code)];
  const what = `The receiver gets ${header}, and expects it in another form than "${mount.scheme.description}".`;
  return [finding("wrong_scheme", what)];
}

/** The signature has the right form and does not fit: the body was changed, or the secret or the scheme is another. */
export async function mismatch(mount: Mount): Promise<MountFinding[]> {
  if ((await mount.signed(PLAIN)).ping) return [await changedBody(mount)];
  // A body of no bytes leaves nothing to change: where its signature is right, it is refused for saying nothing.
  if (isVerified(await mount.signed(""))) return [nothingArrives()];
  const form = await formOf(mount, signatureHeader(mount));
  if (form !== undefined) return [wrongScheme(mount, form.code)];
  const tried = "not even that of an empty body, nor those of the other schemes in this header";
  return [finding("wrong_secret", `The receiver finds no signature right that was made with this secret, ${tried}.`)];
}

async function otherHeader(mount: Mount, header: string): Promise<MountFinding[]> {
  const ours = signatureHeader(mount);
  const answer = await mount.send({ body: PLAIN, headers: { [header]: signatureValue(mount) } });
  const found = finding("wrong_header", `The receiver reads its signature from ${header}, and not from ${ours}.`);
  if (answer.ping) return [found];
  const form = await formOf(mount, header);
  if (form !== undefined) return [wrongScheme(mount, form.code)];
  const reads = `It was not one under this secret by any scheme in that header, so the secret may be another, too.`;
  return [{ ...found, message: `${found.message} ${reads}` }];
}

/** Sends our signature under all the names at once; where that is noticed, halves them until one is left. */
async function headerThatIsRead(mount: Mount): Promise<string | undefined> {
  const ours = signatureHeader(mount).toLowerCase();
  const value = signatureValue(mount);
  const isRead = async (names: readonly string[]) =>
    wasRead(await mount.send({ body: PLAIN, headers: Object.fromEntries(names.map((name) => [name, value])) }));
  let names = HEADERS.filter((name) => name.toLowerCase() !== ours);
  if (!(await isRead(names))) return undefined;
  while (names.length > 1) {
    const half = names.slice(0, names.length / 2);
    names = (await isRead(half)) ? half : names.slice(names.length / 2);
  }
  return names[0];
}

/** By which scheme the receiver reads a header, of those that would. */
async function formOf(mount: Mount, header: string): Promise<Candidate | undefined> {
  // One that is ours is among them; it was refused already, and is again.
  const candidates = [...presets(), ...schemesOf(header)];
  // All at once: there are dozens, and the way may be long.
  const answers = await Promise.all(candidates.map(({ scheme }) => mount.signed(PLAIN, { scheme })));
  return candidates.find((_, place) => isForm(answers[place] as Answer));
}

function wrongScheme({ scheme }: Mount, code: string): MountFinding {
  return finding("wrong_scheme", `The receiver verifies by ${code}; what was sent is "${scheme.description}".`);
}

/** Whether the receiver found something where it looks for a signature. */
function wasRead({ ping, code }: Answer): boolean {
  return ping || /^(signature_m(?!issing)|timestamp_|body_|payload_)/.test(code ?? "");
}

/** Whether the signature was right. */
function isVerified({ ping, code }: Answer): boolean {
  return ping || code?.startsWith("payload_") === true;
}

function isForm(answer: Answer): boolean {
  return isVerified(answer) || answer.code === "timestamp_out_of_tolerance";
}

function signatureHeader(mount: Mount): string {
  const names = Object.keys(mount.sign(PLAIN));
  return names.find((name) => /sign|hmac|digest/i.test(name)) ?? names[0] ?? "signature header";
}

function signatureValue(mount: Mount): string {
  return mount.sign(PLAIN)[signatureHeader(mount)] ?? "";
}
