import type { Verdict } from "./verdict.ts";

/** The outcome for the workloads that read a Secret, as far as the verdict depends on it. */
export type Readers = {
  readonly restarts?: readonly { readonly rollout?: Rollout }[];
  readonly outdatedPodCount?: number;
};

type Rollout = { readonly state: string; readonly reason?: string; readonly podReasons?: readonly string[] };

/** The verdict on a target whose Secret is in order, after a look at the workloads and Pods that read it. Pure. */
export function assessReaders(verdict: Verdict, { restarts = [], outdatedPodCount = 0 }: Readers): Verdict {
  if (verdict.finding !== null || verdict.action !== "none") return verdict;
  const stuck = restarts.flatMap(({ rollout }) => (rollout?.state === "stuck" ? [rollout] : []));
  const [first] = stuck;
  if (first !== undefined) {
    const { reason: cause } = first;
    const podReasons = [...new Set(stuck.flatMap((rollout) => rollout.podReasons ?? []))];
    const details = {
      ...verdict.details,
      ...(cause !== undefined && { cause }),
      ...(podReasons.length > 0 && { podReasons }),
    };
    return { ...verdict, finding: "ROLLOUT_STUCK", details };
  }
  // While a rollout replaces them, old Pods are normal.
  const isRolling = restarts.some(({ rollout }) => rollout?.state === "progressing");
  return outdatedPodCount > 0 && !isRolling ? { ...verdict, finding: "PODS_OUTDATED" } : verdict;
}
