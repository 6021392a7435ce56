import { permissionsOfBindings } from "../../shared/permissions/permissions-of-bindings.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { loadBindingsFile } from "../bindings-file.ts";
import type { Cli } from "../cli.ts";
import { connectBoundClusters, NO_LISTENERS } from "../live/connect-bound-clusters.ts";
import { openSession } from "../live/open-session.ts";
import type { SessionOptions } from "../live/options.ts";
import type { ReportProgress } from "../terminal/progress.ts";
import { checkAccount } from "./check-account.ts";
import { checkCluster } from "./check-cluster.ts";
import { type CheckResult, skipped } from "./check-result.ts";
import { checkStack, type StackCheck, skippedParts } from "./check-stack.ts";
import { checkTargets, type TargetsCheck } from "./check-targets.ts";

export type DoctorOptions = SessionOptions & { readonly stackName: string; readonly values?: boolean };

export type Diagnosis = Pick<TargetsCheck, "targets" | "orphansUnknown"> & {
  readonly checks: readonly CheckResult[];
};

/** Checks in the order in which a rotation needs the parts: credentials, stack, clusters, Secrets. */
export async function runDoctor(
  cli: Cli,
  options: DoctorOptions,
  reportProgress: ReportProgress,
): Promise<Diagnosis> {
  const bindings = await loadBindingsFile(cli, options.bindings);
  reportProgress("credentials");
  const { aws, results: account } = await checkAccount(cli, options);
  reportProgress("stack");
  const { stack, results: deployed }: StackCheck =
    aws === undefined
      ? { results: [skipped("stack", "AWS credentials"), ...skippedParts("AWS credentials")] }
      : await checkStack(aws, options.stackName, cli.now());
  const connections = await connectBoundClusters(cli, options, bindings, { aws, listeners: NO_LISTENERS });
  const permissions = permissionsOfBindings(bindings, { findsOrphans: false });
  const entries = Object.entries(bindings.clusters);
  reportProgress(`${entries.length} cluster(s)`);
  const clusters = await Promise.all(
    entries.map(([clusterKey, cluster]) =>
      checkCluster({
        ...connections,
        clusterKey,
        cluster,
        permissions: permissions.filter((one) => one.cluster === clusterKey),
        hasSeveralClusters: entries.length > 1,
        relay: bindings.relay,
        budget: startTimeBudget(CLUSTER_MS_MAX),
        aws,
        stack,
      }),
    ),
  );
  reportProgress(`${bindings.bindings.length} Secret(s)`);
  const { results, targets, orphansUnknown }: TargetsCheck =
    aws === undefined
      ? { results: [skipped("secrets", "AWS credentials")], targets: [], orphansUnknown: [] }
      : await checkTargets(await openSession(cli, options), {
          values: options.values === true,
          budget: startTimeBudget(TARGETS_MS_MAX),
        });
  return { checks: [...account, ...deployed, ...clusters.flat(), ...results], targets, orphansUnknown };
}

/** The limit for the retries against an unreachable API server. */
const CLUSTER_MS_MAX = 20_000;
const TARGETS_MS_MAX = 300_000;
