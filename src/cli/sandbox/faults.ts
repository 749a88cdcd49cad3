import { InvalidArgumentError } from "commander";
import { FAULTS, type Fault, type FaultPlan } from "../../sandbox/index.ts";

/**
 * Parses `duplicate,slow=0.2`. A fault without a probability affects every delivery; `all=0.1` stands for all faults.
 *
 * @throws InvalidArgumentError; commander names the option
 */
export function parseFaults(text: string): FaultPlan {
  const plan: Partial<Record<Fault, number>> = {};
  for (const part of text.split(",")) {
    const [, name = "", number = "1"] = /^([a-z_]+)(?:=(\d(?:\.\d{1,6})?))?$/.exec(part) ?? [];
    const faults = name === "all" ? FAULTS : FAULTS.filter((fault) => fault === name);
    if (faults.length === 0) throw new InvalidArgumentError(`The faults are ${FAULTS.join(", ")}, and all.`);
    if (Number(number) > 1) throw new InvalidArgumentError(`The probability of ${name} must be from 0 to 1.`);
    for (const fault of faults) plan[fault] = Number(number);
  }
  return plan;
}
