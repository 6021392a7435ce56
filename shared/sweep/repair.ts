import { keyOfSource } from "../secret-id/key-of-source.ts";
import { keyChanges } from "../sync/key-changes.ts";
import type { SyncOutcome } from "../sync/outcome.ts";
import { syncSource } from "../sync/sync-source.ts";
import { atOnce } from "./at-once.ts";
import { nameOfSecret } from "./diagnose.ts";
import type { Action, Finding, FindingDetails } from "./finding.ts";
import type { ShardRequest, Sighting } from "./look.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";

/** Repairs through the fenced path of a rotation, all targets of the same sources together. */
export async function repair(
  deps: SweepDependencies,
  request: ShardRequest,
  sightings: readonly Sighting[],
): Promise<Finding[]> {
  const bySource = Map.groupBy(sightings, ({ item }) => item?.binding.sources.map(keyOfSource).join(", "));
  const findings = await atOnce(deps, bySource.values(), async (ofSource) => {
    const bindings = ofSource.flatMap(({ item }) => (item === undefined ? [] : [item.binding]));
    if (bindings.length === 0) return [];
    const expectedVersionIds = new Map(ofSource.flatMap(({ versionIds = [] }) => [...versionIds]));
    const outcomes = await syncSource(deps, {
      bindings,
      budget: request.budget,
      isRepair: true,
      expectedVersionIds,
    });
    const byTarget = new Map(outcomes.map((outcome) => [nameOfSecret(outcome.target), outcome]));
    return ofSource.map(({ diagnosis }): Finding => {
      const { remedy: _remedy, ...finding } = diagnosis;
      const outcome = byTarget.get(nameOfSecret(diagnosis.target));
      const action = actionOf(outcome);
      const isImmutable = action.kind === "refused" && action.code === "TARGET_IMMUTABLE";
      const { restarts, nudge, eventFailure } = outcome ?? {};
      return {
        ...finding,
        code: isImmutable ? "IMMUTABLE" : finding.code,
        details: { ...finding.details, ...detailsOf(outcome) },
        action,
        ...(restarts && { restarts }),
        ...(nudge && { nudge }),
        ...(eventFailure !== undefined && { eventFailure }),
      };
    });
  });
  return findings.flat();
}

function detailsOf(outcome: SyncOutcome | undefined): FindingDetails {
  if (outcome?.kind !== "written") return {};
  const { changes, collisions } = outcome;
  return { changes: keyChanges(changes), ...(collisions && { collisions }) };
}

function actionOf(outcome: SyncOutcome | undefined): Action {
  switch (outcome?.kind) {
    case "written":
      return { kind: "repaired" };
    case "unchanged":
      return { kind: "already-right" };
    case "refused":
    case "failed":
      return { kind: outcome.kind, code: outcome.code, advice: outcome.advice };
    case undefined:
      throw new TypeError("A target of the sync has no outcome");
  }
}
