import type { Binding } from "../../shared/bindings/binding.ts";
import { nameOfSources } from "../../shared/bindings/name-of-sources.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import { ANNOTATIONS } from "../../shared/render/ownership-marks.ts";
import { diagnoseTarget } from "../../shared/sweep/diagnose.ts";
import type { Diagnosis } from "../../shared/sweep/finding.ts";
import type { Sight } from "../live/sight.ts";
import { sourceAdvice } from "../live/source-advice.ts";
import { isOwnNote, NO_KEYS, type PlannedKeys, type PlannedTarget } from "./planned-target.ts";

/** From what can be seen without a value, as a sweep by metadata judges it. Pure. */
export function planByMetadata({ binding, sources, target: seen }: Sight, now: number): PlannedTarget {
  const target = { target: binding.target, source: nameOfSources(binding), keys: NO_KEYS, fields: [] };
  if (seen.kind === "unseen") return { ...target, action: "unknown", code: seen.code, advice: seen.advice };
  const unread = sources.find((source) => source.kind === "unreadable");
  if (unread !== undefined) {
    return { ...target, action: "unknown", code: unread.code, advice: unread.advice };
  }
  const known = sources.filter((source) => source.kind !== "unreadable");
  const live = seen.kind === "there" ? seen.live : undefined;
  const diagnosis = diagnoseTarget(binding, live, known, now);
  if (diagnosis === undefined) return { ...target, action: "leave" };
  const { code, remedy, refusal = conflictIn(binding, diagnosis) } = diagnosis;
  if (refusal !== undefined) return { ...target, action: "refuse", ...refusal };
  if (remedy === "delete") return { ...target, action: "delete", code };
  if (remedy === "none") {
    // What a pinned version holds is still there to be written; everything else without a remedy needs a person.
    const action = code === "VERSION_DEPRECATED" ? "leave" : "refuse";
    const advice = sourceAdvice(code);
    return { ...target, action, code, ...(advice !== undefined && { advice }) };
  }
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

/** Undefined where a source's own keys become those of the Secret. */
function keyNamesOf({ sources }: Binding): readonly string[] | undefined {
  const names = sources.map(({ keys }) => {
    if (keys.kind === "value") return [keys.key];
    return keys.kind === "selected" || keys.kind === "composed" ? Object.keys(keys.keys) : undefined;
  });
  const known = names.filter((each) => each !== undefined);
  return known.length === names.length ? [...new Set(known.flat())] : undefined;
}

function fieldsOf({ details: { fields = [] } }: Diagnosis): string[] {
  return fields.map(({ field }) => field).filter((field) => !field.startsWith("data.") && !isOwnNote(field));
}
