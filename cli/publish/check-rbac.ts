import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { permissionsOfBindings } from "../../shared/permissions/permissions-of-bindings.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import type { Cli } from "../cli.ts";
import { checkRbac } from "../doctor/check-cluster.ts";
import { type CheckResult, wrongBy } from "../doctor/check-result.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { type BoundClusters, connectBoundClusters, NO_LISTENERS } from "../live/connect-bound-clusters.ts";
import type { LoadedBindings } from "../live/load-bindings.ts";
import type { ClusterOptions } from "../live/options.ts";

/** Whether the relay has the permissions of some bindings in one cluster. `unknown` blocks nothing. */
export type RbacCheck = {
  readonly cluster: string;
  readonly status: "ok" | "missing" | "unknown";
  /** Why it is unknown: a code, or the permission that the check needs. */
  readonly because?: string;
  readonly says: string;
  readonly fix?: string;
};

/** Asks the clusters of the bindings that a publication adds or changes. */
export async function checkRbacOf(
  cli: Cli,
  options: ClusterOptions,
  { compiled, selectedBy }: Pick<LoadedBindings, "compiled" | "selectedBy">,
  concerned: CompiledBindings,
  aws: AwsSession,
): Promise<readonly RbacCheck[]> {
  const permissions = permissionsOfBindings(concerned, { findsOrphans: false });
  const keys = [...new Set(permissions.map(({ cluster }) => cluster))];
  if (keys.length === 0) return [];
  const listeners = NO_LISTENERS;
  const clusters = await connectBoundClusters(cli, options, compiled, { aws, listeners }).catch(
    (error: unknown): Pick<BoundClusters, "connect"> => ({
      connect: () => {
        throw error;
      },
    }),
  );
  return Promise.all(
    keys.map(async (clusterKey) => {
      const check = {
        clusterKey,
        permissions: permissions.filter(({ cluster }) => cluster === clusterKey),
        hasSeveralClusters: Object.keys(compiled.clusters).length > 1,
        selectedBy,
        relay: compiled.relay,
        budget: startTimeBudget(CHECK_MS_MAX),
      };
      try {
        return toRbacCheck(clusterKey, await checkRbac(check, clusters.connect(clusterKey)));
      } catch (error) {
        return toRbacCheck(clusterKey, [wrongBy("rbac", error)]);
      }
    }),
  );
}

/** About 20,000 permissions at 8 at a time and 10 ms each; a larger first publication is checked by `rbac --check`. */
const CHECK_MS_MAX = 25_000;

function toRbacCheck(cluster: string, [result]: readonly CheckResult[]): RbacCheck {
  if (result === undefined || result.status === "ok")
    return { cluster, status: "ok", says: result?.says ?? "" };
  const { status, code, says, fix } = result;
  if (code === "RBAC_MISSING") return { cluster, status: "missing", says, ...(fix !== undefined && { fix }) };
  const because = status === "unknown" ? `needs ${fix}` : code;
  return { cluster, status: "unknown", says, ...(because !== undefined && { because }) };
}
