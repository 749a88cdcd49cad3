import { finding, type MountFinding } from "../mount-findings.ts";
import type { Answer } from "./answer.ts";
import { alteredBody, changedBody } from "./body.ts";
import { type Candidate, HEADERS, presets, schemesOf } from "./candidate-schemes.ts";
import type { Mount } from "./mount.ts";
import { PLAIN } from "./pings.ts";

/** The receiver found no signature: it reads another header, or the header was dropped on the way. */
export async function noSignature(mount: Mount): Promise<MountFinding[]> {
  const ours = signatureHeader(mount);
  for (const { code, scheme } of presets()) {
    if (wasRead(await mount.signed(PLAIN, { scheme }))) return [wrongScheme(mount, code)];
  }
  const header = await headerThatIsRead(mount);
  if (header !== undefined) return otherHeader(mount, header);
  const known = `It does not read any of the ${HEADERS.length} other headers that were tried either.`;
  return [finding("header_stripped", `The receiver got no ${ours}, although it was sent. ${known}`)];
}

/** The receiver got a signature, but not in the form that it expects. */
export async function malformedSignature(mount: Mount): Promise<MountFinding[]> {
  const header = signatureHeader(mount);
  const found = await schemeThatVerifies(mount, header);
  if (found !== undefined) return [wrongScheme(mount, found.code)];
  const what = `The receiver gets ${header}, but expects another form than "${mount.scheme.description}".`;
  return [finding("wrong_scheme", what)];
}

/** The signature has the right form but does not match: the body was changed, or secret or scheme differ. */
export async function mismatch(mount: Mount): Promise<MountFinding[]> {
  if ((await mount.signed(PLAIN)).ping) return [await changedBody(mount)];
  // An empty body cannot be changed: if its signature is right, the receiver refuses it only for its content.
  if (isVerified(await mount.signed(""))) return [alteredBody()];
  const found = await schemeThatVerifies(mount, signatureHeader(mount));
  if (found !== undefined) return [wrongScheme(mount, found.code)];
  const tried = "not even of an empty body or by another scheme in this header";
  return [finding("wrong_secret", `The receiver accepts no signature made with this secret, ${tried}.`)];
}

async function otherHeader(mount: Mount, header: string): Promise<MountFinding[]> {
  const ours = signatureHeader(mount);
  const answer = await mount.send({ body: PLAIN, headers: { [header]: signatureValue(mount) } });
  const wrongHeader = finding("wrong_header", `The receiver reads the signature from ${header}, not from ${ours}.`);
  if (answer.ping) return [wrongHeader];
  const found = await schemeThatVerifies(mount, header);
  if (found !== undefined) return [wrongScheme(mount, found.code)];
  const doubt = "No scheme in that header verified with this secret, so the secret may be wrong, too.";
  return [{ ...wrongHeader, message: `${wrongHeader.message} ${doubt}` }];
}

/** Sends the signature in all headers at once. If the receiver reads one, halves the list until one is left. */
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

/** The scheme by which the receiver verifies a header, of all that could. */
async function schemeThatVerifies(mount: Mount, header: string): Promise<Candidate | undefined> {
  const candidates = [...presets(), ...schemesOf(header)];
  // All at the same time: there are dozens, and each round trip may be slow.
  const answers = await Promise.all(candidates.map(({ scheme }) => mount.signed(PLAIN, { scheme })));
  return candidates.find((_, index) => isForm(answers[index] as Answer));
}

function wrongScheme({ scheme }: Mount, code: string): MountFinding {
  return finding("wrong_scheme", `The receiver verifies by ${code}; what was sent is "${scheme.description}".`);
}

/** Whether the receiver found something in its signature header. */
function wasRead({ ping, code }: Answer): boolean {
  return ping || /^(signature_m(?!issing)|timestamp_|body_|payload_)/.test(code ?? "");
}

/** Whether the receiver accepted the signature. */
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
