import pMap from "p-map";
import type { BindingIndex } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { MANAGED_SELECTOR } from "../../shared/render/ownership-marks.ts";
import { diagnoseOrphan } from "../../shared/sweep/diagnose.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";
import { NO_KEYS, type PlannedTarget } from "./planned-target.ts";

export type PlannedOrphans = {
  readonly targets: readonly PlannedTarget[];
  /** Namespaces, as `cluster/namespace`, in which orphans cannot be seen from here. */
  readonly unseenIn: readonly string[];
};

/** Secrets of the relay's that are bound no longer: a sweep deletes or leaves them, as they themselves say. */
export async function planOrphans(
  live: Live,
  index: BindingIndex,
  clusters: readonly string[] | undefined,
  budget: TimeBudget,
): Promise<PlannedOrphans> {
  const bound = index.sources.flatMap(({ bindings }) => bindings.map(({ target }) => target));
  const names = new Set(bound.map(nameOfTarget));
  const places = Map.groupBy(
    bound.filter(({ cluster }) => clusters?.includes(cluster) ?? true),
    ({ cluster, namespace }) => `${cluster}/${namespace}`,
  );
  const unseenIn: string[] = [];
  const targets = await pMap(
    places,
    async ([place, [{ cluster, namespace } = { cluster: "", namespace: "" }]]): Promise<PlannedTarget[]> => {
      try {
        const listed = await live.connect(cluster).listMetadata(namespace, MANAGED_SELECTOR, budget);
        return listed.flatMap((secret) => {
          const isBound = names.has(nameOfTarget({ cluster, namespace, name: secret.name }));
          const orphan = isBound ? undefined : diagnoseOrphan(cluster, secret);
          if (orphan === undefined) return [];
          const { target, source, code } = orphan;
          const action = orphan.remedy === "delete" ? "delete" : "leave";
          return { target, source, action, code, keys: NO_KEYS, fields: [] };
        });
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        unseenIn.push(place);
        return [];
      }
    },
    { concurrency: live.targetsAtOnce },
  );
  return { targets: targets.flat(), unseenIn };
}
