import type { Binding } from "../../shared/bindings/binding.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import { ANNOTATIONS } from "../../shared/render/ownership-marks.ts";
import { diagnoseTarget } from "../../shared/sweep/diagnose.ts";
import type { Diagnosis } from "../../shared/sweep/finding.ts";
import type { Sight } from "../live/sight.ts";
import { NO_KEYS, type PlannedKeys, type PlannedTarget } from "./planned-target.ts";

/** From what can be seen without a value, as a sweep by metadata judges it. Pure. */
export function planByMetadata({ binding, source, target: seen }: Sight, now: number): PlannedTarget {
  const target = { target: binding.target, source: binding.source.id, keys: NO_KEYS, fields: [] };
  if (seen.kind === "unseen") return { ...target, action: "unknown", code: seen.code, advice: seen.advice };
  if (source.kind === "unreadable") {
    return { ...target, action: "unknown", code: source.code, advice: source.advice };
  }
  const live = seen.kind === "there" ? seen.live : undefined;
  const diagnosis = diagnoseTarget(binding, live, source, now);
  if (diagnosis === undefined) return { ...target, action: "leave" };
  const { code, remedy, refusal = conflictIn(binding, diagnosis) } = diagnosis;
  if (refusal !== undefined) return { ...target, action: "refuse", ...refusal };
  if (remedy === "delete") return { ...target, action: "delete", code };
  if (remedy === "none") return { ...target, action: "refuse", code, advice: ADVICE[code] ?? "" };
  const keys = keysOf(binding, live, diagnosis);
  return {
    ...target,
    action: live === undefined ? "create" : "update",
    code,
    keys,
    fields: fieldsOf(diagnosis),
  };
}

/** Without `adopt` the API server refuses to write a field that another manager has changed. */
function conflictIn({ adopt }: Binding, { details: { fields = [] } }: Diagnosis): Diagnosis["refusal"] {
  const [taken] = adopt
    ? []
    : fields.filter(({ what, manager }) => what === "changed" && manager !== undefined);
  if (taken === undefined) return undefined;
  return {
    code: "FIELD_OWNED_BY_ANOTHER",
    advice: `${taken.manager} changed ${taken.field}. Stop it from writing it, or set adopt: true on the binding to take it back.`,
  };
}

function keysOf(binding: Binding, live: LiveMetadata | undefined, { code, details }: Diagnosis): PlannedKeys {
  const wanted = keyNamesOf(binding);
  const held = (live?.annotations[ANNOTATIONS.keys] ?? "").split(",").filter((key) => key !== "");
  if (code === "TAMPERED" || code === "TAKEN_OVER") {
    const ofData = (details.fields ?? []).filter(({ field }) => field.startsWith("data."));
    const named = (isRemoved: boolean) =>
      ofData
        .filter(({ what }) => (what === "removed") === isRemoved)
        .map(({ field }) => field.slice("data.".length));
    return { ...NO_KEYS, added: named(true), changed: named(false) };
  }
  if (wanted === undefined) return { ...NO_KEYS, mayChange: held, areTheSources: true };
  return {
    added: wanted.filter((key) => !held.includes(key)),
    removed: held.filter((key) => !wanted.includes(key)),
    mayChange: wanted.filter((key) => held.includes(key)),
    changed: [],
  };
}

/** Undefined where the source's own keys become those of the Secret. */
function keyNamesOf({ keys }: Binding): readonly string[] | undefined {
  switch (keys.kind) {
    case "all":
    case "extracted":
      return undefined;
    case "value":
      return [keys.key];
    case "selected":
    case "composed":
      return Object.keys(keys.keys);
  }
}

function fieldsOf({ details: { fields = [] } }: Diagnosis): string[] {
  const ours: readonly string[] = Object.values(ANNOTATIONS);
  return fields
    .map(({ field }) => field)
    .filter((field) => !field.startsWith("data."))
    .filter((field) => !ours.some((annotation) => field.endsWith(`.${annotation}`)));
}

const ADVICE: Partial<Record<Diagnosis["code"], string>> = {
  SOURCE_MISSING: "Secrets Manager has no such secret. Correct the binding, or create it.",
  SOURCE_SCHEDULED_FOR_DELETION:
    "The secret is scheduled for deletion. Restore it (aws secretsmanager restore-secret), or remove its binding.",
};
