/** The values of a series, one a scrape: numbers, `_` for none and `NaN`. */
type Values = readonly (string | number)[];

/** Series, and when an alert fires on them. */
export interface Case {
  /** What the alert does. */
  readonly title: string;
  readonly alert: string;
  readonly series: Readonly<Record<string, Values>>;
  /** Minutes between two scrapes. @default 1 */
  readonly minutesBetween?: number;
  /** The minutes at which it fires. */
  readonly fires: readonly number[];
  /** The minutes at which it does not. */
  readonly quiet: readonly number[];
}

export const LONGEST_MINUTES = 120;
const DAY = 24 * 60;

/** A series with this value in each minute. */
function each(value: (minute: number) => string | number, minutes: number = LONGEST_MINUTES, step = 1): Values {
  return Array.from({ length: minutes / step }, (_, place) => value(place * step));
}

/** A counter that goes up by `perMinute` from minute `from` to minute `to`. */
function counter(from: number, to: number, perMinute = 1): Values {
  return each((minute) => perMinute * Math.max(0, Math.min(minute, to) - from));
}

/** A gauge with another value from minute `from` to minute `to`. */
function gauge(usual: string | number, from: number, to: number, other: string | number): Values {
  return each((minute) => (minute >= from && minute < to ? other : usual));
}

const OWN = 'messaging_destination_name="orders",instance="a"';
const deliveries = (labels: string) => `bluum_webhooks_deliveries_total{${OWN},${labels}}`;
const runs = (labels: string) => `bluum_webhooks_inbox_runs_total{${OWN},${labels}}`;
const AGE = `bluum_webhooks_inbox_oldest_age{${OWN},engine="sqlite"}`;
const PARKED = `bluum_webhooks_inbox_parked_total{${OWN}}`;
const ACCEPTED = deliveries('outcome="accepted",type="order.filled"');
const MISMATCH = deliveries('outcome="rejected",code="signature_mismatch"');

/** Buckets of one delivery a minute, which takes 50 ms, and 24 s from minute `from` to minute `to`. */
function durations(name: string, from: number, to: number): Record<string, Values> {
  const bucket = (le: string) => `${name}_bucket{${OWN},outcome="accepted",le="${le}"}`;
  const fast = each((minute) => minute - Math.max(0, Math.min(minute, to) - from));
  const all = each((minute) => minute);
  return { [bucket("0.1")]: fast, [bucket("20")]: fast, [bucket("25")]: all, [bucket("+Inf")]: all };
}

/** An ordinary day: traffic, a few duplicates, a scanner without a signature, one refusal while the store was restarted. */
export const HEALTHY: Case["series"] = {
  [ACCEPTED]: counter(0, LONGEST_MINUTES, 10),
  [deliveries('outcome="duplicate",type="order.filled"')]: counter(0, LONGEST_MINUTES),
  [deliveries('outcome="in_flight",code="event_in_flight",type="order.filled"')]: counter(0, LONGEST_MINUTES),
  [deliveries('outcome="rejected",code="signature_missing"')]: counter(0, LONGEST_MINUTES, 0.2),
  [deliveries('outcome="rejected",code="store_unavailable",type="order.filled"')]: counter(30, 31),
  [deliveries('outcome="rejected",code="inbox_unavailable",type="order.filled"')]: counter(60, 61),
  [runs('outcome="processed",type="order.filled"')]: counter(0, LONGEST_MINUTES, 10),
  [runs('outcome="failed",code="handler_failed",type="order.filled"')]: counter(0, LONGEST_MINUTES, 0.1),
  [AGE]: gauge(0.2, 40, 43, 350),
  [PARKED]: each(() => 0),
  ...durations("bluum_webhooks_delivery_duration", 0, 0),
};

export const CASES: readonly Case[] = [
  ...waiting(),
  ...parked(),
  ...signatures(),
  ...slow(),
  ...silence(),
  ...claims(),
  ...store(),
  ...inbox(),
];

function waiting(): Case[] {
  const alert = "BluumEventsWaitTooLong";
  const title = "fires while the oldest event is old, and resolves";
  const times = { fires: [12, 20], quiet: [9, 31] };
  return [
    { alert, title, series: { [AGE]: gauge(0, 6, 30, 600) }, ...times },
    {
      alert,
      title: `${title}, under the name by OTLP`,
      series: { [AGE.replace("_age", "_age_seconds")]: gauge(0, 6, 30, 600) },
      ...times,
    },
    {
      alert,
      title: "does not add up what two processes say of one inbox",
      series: { [AGE]: gauge(0, 6, 30, 200), [AGE.replace('"a"', '"b"')]: gauge(0, 6, 30, 200) },
      fires: [],
      quiet: [12, 20],
    },
    {
      alert,
      title: "is quiet while the inbox says nothing",
      series: { [AGE]: gauge(0, 6, 30, "NaN") },
      fires: [],
      quiet: [12, 20],
    },
  ];
}

function parked(): Case[] {
  const alert = "BluumEventsParked";
  return [
    {
      alert,
      title: "fires when an event is parked, and resolves",
      series: { [PARKED]: counter(6, 7) },
      fires: [7, 20],
      quiet: [6, 25],
    },
    {
      alert,
      title: "fires when a process begins with a parked event, and resolves",
      series: { [PARKED]: each((minute) => (minute < 6 ? "_" : 1)) },
      fires: [6, 19],
      quiet: [5, 25],
    },
    {
      alert,
      title: "fires when only the inbox knows that an event was parked, and resolves",
      series: {
        [PARKED]: each(() => 0),
        [`bluum_webhooks_inbox_events{${OWN},state="parked"}`]: gauge(2, 20, LONGEST_MINUTES, 3),
      },
      fires: [20, 33],
      quiet: [19, 36],
    },
    {
      alert,
      title: "is quiet when events are redriven",
      series: { [`bluum_webhooks_inbox_events{${OWN},state="parked"}`]: gauge(2, 20, LONGEST_MINUTES, 0) },
      fires: [],
      quiet: [19, 21, 36],
    },
    {
      alert,
      title: "is quiet when scrapes fail for half an hour",
      series: { [PARKED]: each((minute) => (minute >= 20 && minute < 50 ? "_" : 1)) },
      fires: [],
      quiet: [30, 50, 60, 66],
    },
    {
      alert,
      title: "is quiet when a process begins again",
      series: { [PARKED]: each((minute) => (minute < 30 ? 4 : 0)) },
      fires: [],
      quiet: [29, 30, 40],
    },
  ];
}

function signatures(): Case[] {
  const alert = "BluumSignatureFailures";
  return [
    {
      alert,
      title: "fires on a spike of forgeries, and resolves",
      series: { [ACCEPTED]: counter(0, LONGEST_MINUTES, 10), [MISMATCH]: counter(20, 23, 40) },
      fires: [22, 30],
      quiet: [20, 45],
    },
    {
      alert,
      title: "fires on a spike between two scrapes, the first of all",
      series: { [ACCEPTED]: counter(0, LONGEST_MINUTES, 10), [MISMATCH]: each((minute) => (minute < 20 ? "_" : 120)) },
      fires: [20, 30],
      quiet: [19, 45],
    },
    {
      alert,
      title: "fires on a wrong secret where there is one event, sent again after 1 min and 5 min",
      series: { [MISMATCH]: each((minute) => (minute < 20 ? "_" : minute < 21 ? 1 : minute < 26 ? 2 : 3)) },
      fires: [26, 33],
      quiet: [19, 45],
    },
    {
      alert,
      title: "is quiet on the probes of verify, on an endpoint without other deliveries",
      series: { [deliveries('outcome="rejected",code="signature_mismatch",type="probe"')]: counter(20, 23, 40) },
      fires: [],
      quiet: [22, 30],
    },
    {
      alert,
      title: "is quiet on a few forgeries among many genuine deliveries",
      series: { [ACCEPTED]: counter(0, LONGEST_MINUTES, 100), [MISMATCH]: counter(20, 40, 2) },
      fires: [],
      quiet: [22, 30, 40],
    },
    {
      alert,
      title: "is quiet on a single forgery",
      series: { [MISMATCH]: counter(20, 21) },
      fires: [],
      quiet: [21, 30],
    },
  ];
}

function slow(): Case[] {
  const alert = "BluumAcknowledgementSlow";
  const times = { fires: [30, 39], quiet: [20, 56] };
  const title = "fires while acknowledgements are slow, and resolves";
  return [
    { alert, title, series: durations("bluum_webhooks_delivery_duration", 20, 40), ...times },
    {
      alert,
      title: `${title}, under the name by OTLP`,
      series: durations("bluum_webhooks_delivery_duration_seconds", 20, 40),
      ...times,
    },
    {
      alert,
      title: "is quiet when slow senders are refused",
      series: Object.fromEntries(
        Object.entries(durations("bluum_webhooks_delivery_duration", 20, 40)).map(([name, values]) => [
          name.replace("accepted", "rejected"),
          values,
        ]),
      ),
      fires: [],
      quiet: [30, 39],
    },
  ];
}

function silence(): Case[] {
  const alert = "BluumNoDeliveries";
  const [from, to, end] = [7 * DAY + 120, 7 * DAY + 300, 7 * DAY + 420];
  // Twelve an hour, or one.
  const quietFrom = (perMinute: number) =>
    each((minute) => Math.floor(perMinute * (Math.min(minute, from) + Math.max(0, minute - to))), end, 30);
  return [
    {
      alert,
      title: "fires when it is silent where it was busy a week ago, and resolves",
      series: { [ACCEPTED]: quietFrom(0.2) },
      minutesBetween: 30,
      fires: [from + 90, to - 30],
      quiet: [from - 60, from + 30, to + 30],
    },
    {
      alert,
      title: "fires when the app is gone, and resolves",
      series: { [ACCEPTED]: each((minute) => (minute >= from && minute < to ? "_" : minute), end, 30) },
      minutesBetween: 30,
      fires: [from + 90, to - 30],
      quiet: [from - 60, from + 30, to + 30],
    },
    {
      alert,
      title: "fires when only forgeries come",
      series: { [ACCEPTED]: quietFrom(0.2), [MISMATCH]: each((minute) => minute, end, 30) },
      minutesBetween: 30,
      fires: [from + 90],
      quiet: [from - 60],
    },
    {
      alert,
      title: "is quiet where there are few events anyway",
      series: { [ACCEPTED]: quietFrom(1 / 60) },
      minutesBetween: 30,
      fires: [],
      quiet: [from + 90, to - 30],
    },
  ];
}

function claims(): Case[] {
  const alert = "BluumClaimsLost";
  const times = { fires: [21, 30], quiet: [20, 45] };
  return [
    {
      alert,
      title: "fires when a handler has lost its claim, and resolves",
      series: { [deliveries('outcome="accepted",code="claim_lost",type="order.filled"')]: counter(20, 21) },
      ...times,
    },
    {
      alert,
      title: "fires when a run of a stored event was taken over, and resolves",
      series: { [runs('outcome="failed",code="event_in_flight",type="order.filled"')]: counter(20, 21) },
      ...times,
    },
    {
      alert,
      title: "is quiet when a copy comes while the first is at work",
      series: { [deliveries('outcome="in_flight",code="event_in_flight",type="order.filled"')]: counter(20, 40) },
      fires: [],
      quiet: [21, 30],
    },
  ];
}

function store(): Case[] {
  const alert = "BluumStoreErrors";
  const failures = (source: (labels: string) => string, outcome: string) =>
    source(`outcome="${outcome}",code="store_unavailable",type="order.filled"`);
  const times = { fires: [25, 30], quiet: [20, 41] };
  return [
    {
      alert,
      title: "fires while the store is away, and resolves",
      series: { [failures(deliveries, "rejected")]: counter(20, 30) },
      ...times,
    },
    {
      alert,
      title: "fires when only workers meet it, and resolves",
      series: { [failures(runs, "failed")]: counter(20, 30) },
      ...times,
    },
    {
      alert,
      title: "is quiet on a single failure",
      series: { [failures(deliveries, "rejected")]: counter(20, 21) },
      fires: [],
      quiet: [22, 25],
    },
  ];
}

function inbox(): Case[] {
  const alert = "BluumInboxErrors";
  const refused = (code: string) => deliveries(`outcome="rejected",code="${code}",type="order.filled"`);
  return [
    {
      alert,
      title: "fires while the inbox is away, and resolves",
      series: { [refused("inbox_unavailable")]: counter(20, 30) },
      fires: [26, 30],
      quiet: [20, 41],
    },
    {
      alert,
      title: "fires while the inbox is full, and resolves",
      series: { [refused("inbox_full")]: counter(20, 30) },
      fires: [26, 30],
      quiet: [20, 41],
    },
    {
      alert,
      title: "fires while the inbox does not tell its stats, and resolves",
      series: { [AGE]: gauge(0, 20, 30, "NaN") },
      fires: [22, 29],
      quiet: [21, 30],
    },
    {
      alert,
      title: "is quiet when one of two processes cannot ask the inbox",
      series: { [AGE]: gauge(0, 20, 30, "NaN"), [AGE.replace('"a"', '"b"')]: each(() => 0) },
      fires: [],
      quiet: [25, 29],
    },
  ];
}
