import { createHash } from "node:crypto";
import type { TargetRef } from "../bindings/binding.ts";
import { FenceConflict } from "../cluster/errors.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { ReaderCluster } from "./workload.ts";

/** Shown by `kubectl describe secret`. Holds names only. */
export type EventNote = {
  readonly reason: "SecretCreated" | "SecretUpdated" | "SecretDriftRepaired" | "SecretSyncRefused";
  readonly note: string;
  /** Determines the event's name, so that reporting it twice creates one event. */
  readonly identity: readonly string[];
  readonly secret?: { readonly uid: string; readonly resourceVersion: string };
};

export async function postEvent(
  cluster: ReaderCluster,
  target: TargetRef,
  event: EventNote,
  { now, budget }: { now: number; budget: TimeBudget },
): Promise<void> {
  const path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(target.namespace)}/events`;
  try {
    await cluster.callObject({ method: "POST", path, body: eventBody(target, event, now) }, budget);
  } catch (error) {
    if (!(error instanceof FenceConflict)) throw error; // 409: it already exists
  }
}

/** events.k8s.io/v1 requires times with six decimals, and `regarding` in the namespace of the event. Pure. */
function eventBody({ namespace, name }: TargetRef, event: EventNote, now: number): object {
  const { reason, note, identity, secret } = event;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace, name: eventName(name, [reason, ...identity]) },
    eventTime: new Date(now).toISOString().replace("Z", "000Z"),
    type: reason === "SecretSyncRefused" ? "Warning" : "Normal",
    reason,
    action: "Sync",
    note: shortened(note),
    reportingController: "secret-relay",
    reportingInstance: "secret-relay",
    // kubectl describe shows only events with the object's uid.
    regarding: { apiVersion: "v1", kind: "Secret", namespace, name, ...secret },
  };
}

function eventName(secretName: string, identity: readonly string[]): string {
  const digest = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 16);
  return `${secretName.slice(0, NAME_LENGTH_MAX - digest.length - 1).replace(/[.-]+$/, "")}.${digest}`;
}

const NAME_LENGTH_MAX = 253;

function shortened(note: string): string {
  return note.length <= NOTE_LENGTH_MAX ? note : `${note.slice(0, NOTE_LENGTH_MAX - 1)}…`;
}

/** In characters. The API server accepts 1 kB, and a character may take two bytes. */
const NOTE_LENGTH_MAX = 500;
