/** The memory store: the same contract that every store has to pass. */
export function memory(check, doors) {
  const { memoryStore } = doors["."];
  const { dedupeStoreContract } = doors["./testing"];
  const onManualClock = () => {
    let now = 0;
    const advance = (ms) => {
      now += ms;
    };
    return { store: memoryStore({ now: () => now }), advance };
  };
  for (const { name, run } of dedupeStoreContract(onManualClock)) check(`the memory store: ${name}`, run);
  // On the runtime's own monotonic clock, which some hold still while code runs.
  for (const { name, run } of dedupeStoreContract(() => ({ store: memoryStore() }))) {
    check(`the memory store, on the runtime's clock: ${name}`, run);
  }
}
