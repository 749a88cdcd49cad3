// The candidates: the floor, our schemes and the rivals that verify and parse.
import { verifyAndParse } from "../material/floor.mjs";
import { SIGNED } from "../material/signatures.mjs";

export function floor(name, bodies) {
  const deliveries = bodies.map((body) => ({ body, signature: SIGNED.bluum(body)["x-bluum-signature"] }));
  function run(count) {
    for (let nth = 0; nth < count; nth++) {
      const { body, signature } = deliveries[nth % deliveries.length];
      verifyAndParse(body, signature);
    }
  }
  return { name, run };
}

/** Awaits only asynchronous candidates. */
export function candidate({ name, signed, verify }, bodies) {
  const deliveries = bodies.map((body) => ({ body, headers: SIGNED[signed](body) }));
  const next = (nth) => {
    const { body, headers } = deliveries[nth % deliveries.length];
    return verify(body, headers);
  };
  const isAsync = next(0) instanceof Promise;
  async function runAsync(count) {
    for (let nth = 0; nth < count; nth++) await next(nth);
  }
  function run(count) {
    for (let nth = 0; nth < count; nth++) next(nth);
  }
  return { name, run: isAsync ? runAsync : run };
}
