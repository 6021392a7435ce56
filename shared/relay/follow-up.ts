import type { TargetRef } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import { nameOfTarget } from "../bindings/name-of-target.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { type FollowUpDependencies, followUpWith, type Settled } from "../workloads/follow-up.ts";
import { pauseBeforeLook } from "../workloads/follow-up-message.ts";
import { type FollowUpOutcome, isOpen } from "../workloads/outcome.ts";
import { reportFollowUp } from "../workloads/report-follow-up.ts";
import type { SendFollowUp } from "./send-follow-up.ts";

type Dependencies = FollowUpDependencies & {
  readonly log: Log;
  readonly measure: Measure;
  /** Absent on the command line, which has no queue. */
  readonly sendFollowUp?: SendFollowUp;
};

/**
 * Runs the follow-up actions of a binding and reports them. If workloads were restarted, sends a message to look at them
 * again, so that no invocation waits for a rollout. A separate file, because it is loaded lazily.
 */
export async function followUp(
  deps: Dependencies,
  settled: Settled,
  budget: TimeBudget,
): Promise<FollowUpOutcome> {
  const outcome = await followUpWith(deps)(settled, budget);
  if (settled.plan === true) return outcome;
  const { target } = settled.binding;
  reportFollowUp(deps.log, deps.measure, { target, source: nameOfSources(settled.binding) }, outcome);
  await sendNextLook(deps, settled, outcome);
  return outcome;
}

async function sendNextLook(
  { sendFollowUp, log, now, rolloutDeadlineMs }: Dependencies,
  { binding: { target }, following }: Settled,
  { restarts = [] }: FollowUpOutcome,
): Promise<void> {
  const isRestarted = restarts.some(({ outcome }) => outcome === "restarted");
  const isLookedAt = following !== undefined && restarts.some(isOpen);
  if (sendFollowUp === undefined || !(isRestarted || isLookedAt)) return;
  // A restart begins a new series: its rollout has its own deadline.
  const { startedAt, looks } =
    following === undefined || isRestarted
      ? { startedAt: now(), looks: 0 }
      : { startedAt: following.startedAt, looks: following.looks + 1 };
  const delaySeconds = pauseBeforeLook({ startedAt, looks }, { now: now(), deadlineMs: rolloutDeadlineMs });
  if (delaySeconds === undefined) return;
  const send = async (about: TargetRef): Promise<void> => {
    try {
      await sendFollowUp({ version: 1, kind: "follow-up", target: about, startedAt, looks }, delaySeconds);
    } catch (error) {
      // The Secret is written and the workloads are restarted. The next sweep looks at them.
      const { code } = error instanceof RelayError ? error : UnexpectedFault.from(error);
      log("FOLLOW_UP_NOT_SENT", { target: nameOfTarget(about), code });
    }
  };
  // The invocations of the other Secrets find the restart made, and send no message.
  const names = new Set([target.name, ...restarts.flatMap(({ alsoFor = [] }) => alsoFor)]);
  await Promise.all([...names].map((name) => send({ ...target, name })));
}
