import type { TargetRef } from "../bindings/binding.ts";

/**
 * A queue message: look again at the workloads that read this Secret. Names and times only. A repeated or late message
 * is harmless: Secret, binding and workloads are read again, and a completed rollout is recorded on the workload.
 */
export type FollowUpMessage = {
  readonly version: 1;
  readonly kind: "follow-up";
  readonly target: TargetRef;
  /** When the workloads were restarted, ms since the epoch. */
  readonly startedAt: number;
  /** How often the relay has looked since. */
  readonly looks: number;
};

/** Parses a queue message; undefined unless it is one of this format version. */
export function parseFollowUpMessage(text: string): FollowUpMessage | undefined {
  let message: Partial<Record<keyof FollowUpMessage, unknown>> | null;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof message !== "object" || message === null) return undefined;
  const { version, kind, target, startedAt, looks } = message;
  const isValid =
    version === 1 &&
    kind === "follow-up" &&
    isTarget(target) &&
    Number.isSafeInteger(startedAt) &&
    Number.isSafeInteger(looks) &&
    (looks as number) >= 0;
  if (!isValid) return undefined;
  const { cluster, namespace, name } = target;
  return {
    ...{ version, kind, target: { cluster, namespace, name } },
    startedAt: startedAt as number,
    looks: looks as number,
  };
}

function isTarget(value: unknown): value is TargetRef {
  const { cluster, namespace, name } = (value ?? {}) as Partial<Record<keyof TargetRef, unknown>>;
  return [cluster, namespace, name].every(
    (part) => typeof part === "string" && part.length <= NAME_LENGTH_MAX,
  );
}

/** The longest name of an object in Kubernetes is 253 characters; the key of a cluster is shorter. */
const NAME_LENGTH_MAX = 253;

/** Undefined after the deadline: the sweeps go on looking. Otherwise at least a second, at most five minutes. */
export function pauseBeforeLook(
  { startedAt, looks }: Pick<FollowUpMessage, "startedAt" | "looks">,
  { now, deadlineMs }: { readonly now: number; readonly deadlineMs: number },
): number | undefined {
  const remainingMs = startedAt + deadlineMs - now;
  if (remainingMs <= 0 || looks >= LOOKS_MAX) return undefined;
  const isLong = now - startedAt > LONG_MS;
  const pauseSeconds = isLong ? PAUSE_SECONDS_MAX : Math.min(60, 5 * 2 ** Math.min(looks, 10));
  // The last look comes just after the deadline, when a rollout that is not complete counts as stuck.
  return Math.max(1, Math.min(pauseSeconds, Math.ceil(remainingMs / 1_000)));
}

/** Most rollouts complete within minutes. */
const LONG_MS = 600_000;
/** SQS delays a message by 900 s at most. */
const PAUSE_SECONDS_MAX = 300;
/** With the pauses above and a deadline of a day; forged messages cannot continue without end. */
const LOOKS_MAX = 320;
