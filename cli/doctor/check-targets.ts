import type { TargetRef } from "../../shared/bindings/binding.ts";
import { eachBindingOnce } from "../../shared/bindings/followers.ts";
import type { Finding, FindingCode } from "../../shared/sweep/finding.ts";
import { runSweep } from "../../shared/sweep/run-sweep.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";
import { planByValues } from "../plan/plan-by-values.ts";
import { type CheckResult, halves, ok, wrong, wrongBy } from "./check-result.ts";

/** Are sources and Secrets as the bindings say? A sweep by metadata looks, as a plan; by values, each is rendered too. */
export async function checkTargets(
  live: Live,
  { values, clusters, budget }: { values: boolean; clusters: readonly string[]; budget: TimeBudget },
): Promise<readonly CheckResult[]> {
  if (clusters.length === 0) return [];
  try {
    const settings = {
      self: live.aws.home,
      budget,
      shardBindingsMax: Number.POSITIVE_INFINITY,
      deletionsShareMax: 1,
    };
    const request = { mode: "metadata", plan: true, clusters } as const;
    const report = await runSweep(live, live.index, request, settings);
    const unchecked = report.unchecked.map(({ target, code, advice }) => refused(target, code, advice));
    const found = [...report.findings.map(told), ...unchecked];
    const known = new Set(found.map(keyOf));
    const unfit = values ? await renderAll(live, clusters, budget) : [];
    const all = [...found, ...unfit.filter((result) => !known.has(keyOf(result)))];
    if (all.length > 0) return all;
    return [
      ok("secrets", `all ${report.checked} are as the bindings say, by ${values ? "values" : "metadata"}`),
    ];
  } catch (error) {
    return [wrongBy("secrets", error)];
  }
}

const keyOf = ({ about, code }: CheckResult): string => `${about} ${code}`;

/** What a sync would refuse, or could not read. */
async function renderAll(
  live: Live,
  clusters: readonly string[],
  budget: TimeBudget,
): Promise<CheckResult[]> {
  const groups = eachBindingOnce(
    live.index.sources.map(({ source, bindings }) => ({
      source,
      bindings: bindings.filter(({ target }) => clusters.includes(target.cluster)),
    })),
  );
  const planned = await planByValues(live, groups, budget);
  return planned.flatMap(({ action, target, code, advice }) =>
    (action === "refuse" || action === "unknown") && code !== undefined
      ? [refused(target, code, advice ?? "")]
      : [],
  );
}

function refused({ cluster, namespace, name }: TargetRef, code: string, advice: string): CheckResult {
  return wrong("secrets", { code, ...halves(advice), about: `${cluster}/${namespace}/${name}` });
}

function told({ code, target, source, details }: Finding): CheckResult {
  const { cluster, namespace, name } = target;
  const cause = details.cause ?? code;
  const says = `${FINDINGS[code]}${details.cause === undefined ? "" : ` (${details.cause})`}`;
  const place = `${namespace}/${name}`;
  const fix = FIXES[code]?.({ place, namespace, name, source }) ?? details.advice ?? "see docs/runbook.md";
  return wrong("secrets", {
    code: cause,
    says: `${says}; source ${source}`,
    fix,
    about: `${cluster}/${place}`,
  });
}

type Names = { place: string; namespace: string; name: string; source: string };

const sync = ({ place }: Names) => `secret-relay sync ${place}`;
const adopt = ({ place }: Names) => `adopt: true on the binding of ${place}, then secret-relay sync ${place}`;
const renew = ({ namespace, name, place }: Names) =>
  `kubectl delete secret ${name} --namespace ${namespace}, then secret-relay sync ${place}`;

const FIXES: Readonly<Partial<Record<FindingCode, (names: Names) => string>>> = {
  MISSING: sync,
  STALE: sync,
  FINGERPRINT_CHANGED: sync,
  VALUE_DIFFERS: sync,
  TAMPERED: sync,
  TAKEN_OVER: adopt,
  NOT_OURS: adopt,
  TYPE_DIFFERS: renew,
  IMMUTABLE: renew,
  ORPHAN: ({ namespace, name }) =>
    `kubectl delete secret ${name} --namespace ${namespace}, once nobody reads it`,
  OWNED_BY_CONTROLLER: ({ name, namespace, place }) =>
    `kubectl get secret ${name} --namespace ${namespace} -o jsonpath={.metadata.ownerReferences}, then part the two: unbind ${place} and let its owner keep it (an ExternalSecret refreshes at once with externalSecrets on the cluster), or remove the owner`,
  SOURCE_MISSING: ({ source }) =>
    `aws secretsmanager create-secret --name ${source}, or correct the source in the bindings`,
  SOURCE_SCHEDULED_FOR_DELETION: ({ source }) => `aws secretsmanager restore-secret --secret-id ${source}`,
};

const FINDINGS: Readonly<Record<FindingCode, string>> = {
  MISSING: "the Secret is not there yet",
  STALE: "the Secret holds a version that is no longer current",
  TAMPERED: "somebody changed what the relay wrote",
  TAKEN_OVER: "another field manager owns what the relay had written",
  FINGERPRINT_CHANGED: "the binding changed since the Secret was written",
  VALUE_DIFFERS: "the Secret holds another value than its source",
  ORPHAN: "no binding names the Secret any longer",
  SOURCE_MISSING: "Secrets Manager has no such secret",
  SOURCE_SCHEDULED_FOR_DELETION: "the secret is scheduled for deletion",
  VERSION_MISSING: "the version that the binding names is not there",
  VERSION_DEPRECATED: "the version that the binding pins has no staging label any more, so AWS may delete it",
  NOT_OURS: "somebody else made a Secret of that name",
  OWNED_BY_CONTROLLER: "a controller owns the Secret",
  TYPE_DIFFERS: "the Secret has another type than the binding wants",
  IMMUTABLE: "the Secret is immutable",
  BEING_DELETED: "the Secret is being deleted",
  UNRENDERABLE: "the value does not fit the binding",
};
