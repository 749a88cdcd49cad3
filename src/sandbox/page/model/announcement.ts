import { effect, signal } from "@preact/signals";
import { connection } from "./stream.ts";
import { plural } from "./words.ts";
import { ledger, ledgerVersion } from "./world.ts";

/** What is read out to those who do not see the list grow. */
export const announcement = signal("");

const QUIET_MS = 5_000;

/** Sums up what has come, at most every five seconds; one sentence a delivery would drown everything else. */
export function followNews(): void {
  let told = 0;
  let toldParked = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = () => {
    timer = undefined;
    const news = ledger.size - told;
    const parked = ledger.counts.parked - toldParked;
    if (news > 0 || parked > 0) announcement.value = sentence(news, parked);
    told = ledger.size;
    toldParked = ledger.counts.parked;
  };
  effect(() => {
    ledgerVersion.value;
    if (connection.value === "live" && timer === undefined) timer = setTimeout(tell, QUIET_MS);
  });
}

function sentence(news: number, parked: number): string {
  const came = news > 0 ? [plural(news, "new delivery", "new deliveries")] : [];
  return [...came, ...(parked > 0 ? [`${parked} parked`] : [])].join(", ");
}
