/** What a rotation and a repair pass through, in this order. Scripts rely on the names. */
export const HOPS = {
  source: "the new value is in Secrets Manager",
  event: "the rotation function has the event",
  function: "the function has handled it",
  secret: "the relay has written the Secret",
  observed: "verify has seen it in the cluster",
  edit: "verify has changed the Secret by hand",
  sweep: "the reconcile function has swept the canary",
  repair: "the Secret has the value of the source again",
} as const;

export type HopName = keyof typeof HOPS;

/** The hop that failed, its code, and the next command. */
export type Fault = {
  readonly hop: HopName;
  readonly code: string;
  readonly says: string;
  readonly next: string;
};

export type HopRow = {
  readonly hop: HopName;
  /** `unknown`: it has happened, but its time is not known. */
  readonly status: "done" | "unknown" | "failed" | "not-reached";
  /** Since the hop before it whose time is known. */
  readonly tookMs?: number;
  /** Since the write of the source, and from `edit` on since the edit. */
  readonly afterMs?: number;
};

/** Times in ms since the epoch: `ofRelay` by the clocks of AWS, the others by the clock of this machine. */
export type Times = {
  readonly startedAt: number;
  readonly sourceAt?: number;
  readonly observedAt?: number;
  readonly editStartedAt?: number;
  readonly editAt?: number;
  readonly sweepAt?: number;
  readonly repairAt?: number;
  readonly ofRelay: {
    readonly eventAt?: number;
    readonly functionAt?: number;
    readonly secretAt?: number;
  };
};

export type Timing = {
  readonly hops: readonly HopRow[];
  /** From the write of the source until the Secret was written; by the observation if that time is unknown. */
  readonly rotationMs?: number;
  /** From the edit until the Secret was right again. */
  readonly repairMs?: number;
  /** What was added to the times of AWS, because they were before the start or after the end. */
  readonly clockShiftMs: number;
};

/** The time of each hop. Pure. */
export function timeHops(times: Times, fault: Fault | undefined): Timing {
  const { startedAt, editStartedAt, observedAt } = times;
  const clockShiftMs = clockShiftOf(times);
  const shifted = (at: number | undefined) => (at === undefined ? undefined : at + clockShiftMs);
  const { eventAt, functionAt, secretAt } = times.ofRelay;
  const at: Readonly<Record<HopName, number | undefined>> = {
    source: times.sourceAt,
    event: shifted(eventAt),
    function: shifted(functionAt),
    secret: shifted(secretAt),
    observed: observedAt,
    edit: times.editAt,
    sweep: times.sweepAt,
    repair: times.repairAt,
  };
  const names = Object.keys(HOPS) as HopName[];
  const failedAt = fault === undefined ? names.length : names.indexOf(fault.hop);
  const hops = names.map((hop, index): HopRow => {
    if (index === failedAt) return { hop, status: "failed" };
    if (index > failedAt) return { hop, status: "not-reached" };
    const own = at[hop];
    if (own === undefined) return { hop, status: "unknown" };
    const startOfPart = PART_OF_REPAIR.has(hop) ? editStartedAt : startedAt;
    if (startOfPart === undefined) return { hop, status: "unknown" };
    const before = PREDECESSORS[hop].map((name) => at[name]).find((each) => each !== undefined);
    return {
      hop,
      status: "done",
      tookMs: span(before ?? startOfPart, own),
      afterMs: span(startOfPart, own),
    };
  });
  const landedAt = at.secret ?? observedAt;
  return {
    hops,
    ...(landedAt !== undefined && { rotationMs: span(startedAt, landedAt) }),
    ...(times.repairAt !== undefined &&
      editStartedAt !== undefined && { repairMs: span(editStartedAt, times.repairAt) }),
    clockShiftMs,
  };
}

/** The hops that a hop follows, the nearest first. The function writes the Secret before it has handled the event. */
const PREDECESSORS: Readonly<Record<HopName, readonly HopName[]>> = {
  source: [],
  event: ["source"],
  function: ["event", "source"],
  secret: ["event", "source"],
  observed: ["secret", "event", "source"],
  edit: [],
  sweep: ["edit"],
  repair: ["sweep", "edit"],
};

const PART_OF_REPAIR: ReadonlySet<HopName> = new Set(["edit", "sweep", "repair"]);

/** An event can arrive before the call that caused it is answered. */
const span = (from: number, to: number): number => Math.max(0, to - from);

/** The clock of this machine can differ from those of AWS. The relay worked between the start and the observation. */
function clockShiftOf({ startedAt, observedAt, ofRelay }: Times): number {
  const { eventAt, secretAt } = ofRelay;
  const known = [eventAt, secretAt].filter((at) => at !== undefined);
  if (known.length === 0 || observedAt === undefined) return 0;
  const [first, last] = [Math.min(...known), Math.max(...known)];
  if (first < startedAt) return startedAt - first;
  return last > observedAt ? observedAt - last : 0;
}
