import { InvalidArgumentError } from "commander";
import { FAULTS, type Fault, type FaultPlan } from "../../sandbox/index.ts";

/**
 * Reads `duplicate,slow=0.2`, a fault without a number being done to every delivery; `all=0.1` stands for each of them.
 *
 * @throws InvalidArgumentError saying which part cannot be read; commander names the option
 */
export function faultsOf(text: string): FaultPlan {
  const plan: Partial<Record<Fault, number>> = {};
  for (const part of text.split(",")) {
    const [, name = "", number = "1"] = /^([a-z_]+)(?:=(\d(?:\.\d{1,6})?))?$/.exec(part) ?? [];
    const named = name === "all" ? FAULTS : FAULTS.filter((fault) => fault === name);
    if (named.length === 0) throw new InvalidArgumentError(`There are ${FAULTS.join(", ")}, and all.`);
    if (Number(number) > 1) throw new InvalidArgumentError(`The probability of ${name} must be from 0 to 1.`);
    for (const fault of named) plan[fault] = Number(number);
  }
  return plan;
}
