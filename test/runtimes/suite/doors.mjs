import { holds } from "../checklist.mjs";

/** Every door that this runtime can have. */
export function doorsLoad(check, doors) {
  for (const [name, door] of Object.entries(doors)) {
    check(`the door ${name} loads, and gives functions`, () => {
      holds(
        "some function",
        Object.values(door).some((value) => typeof value === "function"),
      );
    });
  }
}
