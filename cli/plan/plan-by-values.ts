import pMap from "p-map";
import type { Binding, BoundSource } from "../../shared/bindings/binding.ts";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfSources } from "../../shared/bindings/name-of-sources.ts";
import type { LiveSecret } from "../../shared/cluster/live-secret.ts";
import { otherManagersOf } from "../../shared/cluster/managed-fields.ts";
import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import { keyOfSource } from "../../shared/secret-id/key-of-source.ts";
import type { CurrentSource } from "../../shared/source/read-current.ts";
import { type Change, planTarget } from "../../shared/sync/plan.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";
import { isOwnNote, NO_KEYS, type PlannedKeys, type PlannedTarget } from "./planned-target.ts";

/** Exactly, by rendering each target and comparing it with what is there. The values stay in this process. */
export async function planByValues(
  live: Live,
  groups: readonly SourceBindings[],
  budget: TimeBudget,
): Promise<PlannedTarget[]> {
  const reads = new Map<string, Promise<CurrentSource>>();
  const read = (source: BoundSource): Promise<CurrentSource> => {
    const key = keyOfSource(source);
    const known = reads.get(key) ?? live.readCurrent(source, budget);
    reads.set(key, known);
    return known;
  };
  const planned = await pMap(
    groups,
    ({ bindings }) => Promise.all(bindings.map((binding) => planBinding({ live, read, budget }, binding))),
    { concurrency: live.targetsAtOnce },
  );
  return planned.flat();
}

type How = {
  readonly live: Live;
  readonly read: (source: BoundSource) => Promise<CurrentSource>;
  readonly budget: TimeBudget;
};

async function planBinding(
  { live: { connect }, read, budget }: How,
  binding: Binding,
): Promise<PlannedTarget> {
  const target = { target: binding.target, source: nameOfSources(binding), keys: NO_KEYS, fields: [] };
  try {
    const current = await Promise.all(binding.sources.map(read));
    const desired = renderSecret(binding, current, await loadRenderers(binding));
    const live = await connect(binding.target.cluster).readSecret(binding.target, budget);
    const plan = planTarget(live, desired, binding);
    switch (plan.kind) {
      case "create":
        return { ...target, action: "create", keys: { ...NO_KEYS, added: [...desired.data.keys()] } };
      case "leave":
        return { ...target, action: "leave" };
      case "refuse":
        return { ...target, action: "refuse", code: plan.code, advice: plan.advice };
      case "update":
      case "replace": {
        const taken = binding.adopt ? undefined : conflictIn(live, plan.changes);
        if (taken !== undefined) return { ...target, action: "refuse", ...taken };
        return { ...target, action: plan.kind, keys: keysOf(plan.changes), fields: fieldsOf(plan.changes) };
      }
    }
  } catch (error) {
    const { code, message: advice, retryable } = asRelayError(error);
    return { ...target, action: retryable ? "unknown" : "refuse", code, advice };
  }
}

/** What the API server would answer: a field that another manager owns is not changed without `adopt`. */
function conflictIn(live: LiveSecret | undefined, changes: readonly Change[]) {
  for (const { field, what } of changes) {
    const [owner] = what === "changed" ? otherManagersOf(live?.managedFields ?? [], field) : [];
    if (owner !== undefined) {
      return {
        code: "FIELD_OWNED_BY_ANOTHER",
        advice: `${owner.manager} owns ${field}. Stop it from writing it, or set adopt: true on the binding to take it over.`,
      };
    }
  }
  return undefined;
}

function keysOf(changes: readonly Change[]): PlannedKeys {
  const named = (...kinds: Change["what"][]) =>
    changes
      .filter(({ field, what }) => field.startsWith("data.") && kinds.includes(what))
      .map(({ field }) => field.slice("data.".length));
  // Taken back: the value is right and somebody else wrote it last.
  return {
    ...NO_KEYS,
    added: named("added"),
    changed: named("changed", "taken back"),
    removed: named("removed"),
  };
}

function fieldsOf(changes: readonly Change[]): string[] {
  return changes.map(({ field }) => field).filter((field) => !field.startsWith("data.") && !isOwnNote(field));
}

function asRelayError(error: unknown): RelayError {
  return error instanceof RelayError ? error : UnexpectedFault.from(error);
}
