import { rightsOfBindings } from "../../shared/rights/rights-of-bindings.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import { loadBindingsFile } from "../bindings-file.ts";
import type { Cli } from "../cli.ts";
import { openLive } from "../live/open-live.ts";
import type { LiveOptions } from "../live/options.ts";
import { reachClusters } from "../live/reach-clusters.ts";
import type { Tell } from "../terminal/progress.ts";
import { checkAccount } from "./check-account.ts";
import { type ClusterCheck, checkCluster } from "./check-cluster.ts";
import { type CheckResult, skipped } from "./check-result.ts";
import { checkStack } from "./check-stack.ts";
import { checkTargets, type TargetsCheck } from "./check-targets.ts";

export type DoctorOptions = LiveOptions & { readonly stackName: string; readonly values?: boolean };

export type Diagnosis = Pick<TargetsCheck, "targets" | "orphansUnknown"> & {
  readonly checks: readonly CheckResult[];
};

/** From the credentials outwards: what an event, a sync and a sweep need, in the order in which they need it. */
export async function runDoctor(cli: Cli, options: DoctorOptions, tell: Tell): Promise<Diagnosis> {
  const bindings = await loadBindingsFile(cli, options.bindings);
  tell("credentials");
  const account = await checkAccount(cli, options);
  const { aws } = account;
  tell("stack");
  const deployed =
    aws === undefined
      ? { results: [skipped("stack", "AWS credentials")] }
      : await checkStack(aws, options.stackName, cli.now());
  const listeners = { onRequest: () => {}, onThrottled: () => {} };
  const reached = await reachClusters(cli, options, bindings, { aws, listeners });
  const places = rightsOfBindings(bindings, { findsOrphans: false });
  const keys = Object.keys(bindings.clusters);
  tell(`${keys.length} cluster(s)`);
  const checkOne = async ([clusterKey, cluster]: (typeof entries)[number]): Promise<ClusterCheck> =>
    checkCluster({
      ...reached,
      clusterKey,
      cluster,
      places: places.filter((place) => place.cluster === clusterKey),
      severalClusters: keys.length > 1,
      relay: bindings.relay,
      budget: startTimeBudget(CLUSTER_MS_MAX),
      ...(aws && { aws }),
      ...("stack" in deployed && deployed.stack && { stack: deployed.stack }),
    });
  const entries = Object.entries(bindings.clusters);
  const clusters = await Promise.all(entries.map(checkOne));
  tell(`${bindings.bindings.length} Secret(s)`);
  const { results, targets, orphansUnknown }: TargetsCheck =
    aws === undefined
      ? { results: [skipped("secrets", "AWS credentials")], targets: [], orphansUnknown: [] }
      : await checkTargets(await openLive(cli, options), {
          values: options.values === true,
          budget: startTimeBudget(TARGETS_MS_MAX),
        });
  const ofClusters = clusters.flatMap((cluster) => cluster.results);
  const checks = [...account.results, ...deployed.results, ...ofClusters, ...results];
  return { checks, targets, orphansUnknown };
}

/** An API server that cannot be reached costs its retries, and no more than this. */
const CLUSTER_MS_MAX = 20_000;
const TARGETS_MS_MAX = 300_000;
