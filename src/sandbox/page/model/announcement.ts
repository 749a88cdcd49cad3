import { effect, signal } from "@preact/signals";
import { connection } from "../../../page/model/stream.ts";
import { plural } from "../../../page/model/words.ts";
import { ledger, ledgerVersion } from "./world.ts";

/** What a screen reader announces about new deliveries. */
export const announcement = signal("");

const QUIET_MS = 5_000;

/** Sums up new deliveries, at most every five seconds: an announcement for each would be too many. */
export function followNews(): void {
  let announced = 0;
  let announcedParked = 0;
  let announcedFooled = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const announce = () => {
    timer = undefined;
    const news = ledger.size - announced;
    const parked = ledger.counts.parked - announcedParked;
    const fooled = ledger.counts.fooled - announcedFooled;
    if (news > 0 || parked > 0 || fooled > 0) announcement.value = sentence(news, parked, fooled);
    announced = ledger.size;
    announcedParked = ledger.counts.parked;
    announcedFooled = ledger.counts.fooled;
  };
  effect(() => {
    ledgerVersion.value;
    if (connection.value === "live" && timer === undefined) timer = setTimeout(announce, QUIET_MS);
  });
}

function sentence(news: number, parked: number, fooled: number): string {
  return [
    ...(news > 0 ? [plural(news, "new delivery", "new deliveries")] : []),
    ...(parked > 0 ? [`${parked} parked`] : []),
    ...(fooled > 0 ? [`${plural(fooled, "forgery", "forgeries")} accepted`] : []),
  ].join(", ");
}
