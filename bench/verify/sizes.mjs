// Which bodies are verified and parsed, and what is to be reached with them.
import { bodyOf } from "../material/bodies.mjs";

const SIZES = [
  { name: "300 B", size: 300, bodies: 64, toFloor: 1.1, toRival: 1 },
  { name: "2 KB", size: 2_048, bodies: 64, toFloor: 1.1, toRival: 1 },
  { name: "64 KB", size: 65_536, bodies: 8, toFloor: 1.1 },
  { name: "1 MB", size: 1_048_576, bodies: 2, toFloor: 1.1 },
];
const TEXTS = { ascii: "ASCII", beyond: "not ASCII" };

/** Every size with every text: the group's name, its goals, and fresh bodies. */
export function* bodiesToVerify() {
  for (const { name, size, bodies, ...goals } of SIZES) {
    for (const text of Object.keys(TEXTS)) {
      const all = Array.from({ length: bodies }, () => bodyOf(size, text));
      yield { group: `verify + parse, ${name}, ${TEXTS[text]}`, bodies: all, ...goals };
    }
  }
}
