import { permissionsOfBindings } from "../../shared/permissions/permissions-of-bindings.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { BINDINGS_FILE } from "../bindings-file.ts";
import type { Cli } from "../cli.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { connectBoundClusters, NO_LISTENERS } from "../live/connect-bound-clusters.ts";
import {
  hasFile,
  type LoadedBindings,
  loadFile,
  loadNamedFile,
  loadPublished,
} from "../live/load-bindings.ts";
import { openSessionWith } from "../live/open-session.ts";
import type { SessionOptions } from "../live/options.ts";
import type { DeployedStack } from "../live/stack.ts";
import { plural } from "../terminal/format.ts";
import type { ReportProgress } from "../terminal/progress.ts";
import { checkAccount } from "./check-account.ts";
import { checkCluster } from "./check-cluster.ts";
import { type CheckResult, ok, skipped, wrongBy } from "./check-result.ts";
import { checkStack, type StackCheck, skippedParts } from "./check-stack.ts";
import { checkTargets, type TargetsCheck } from "./check-targets.ts";

export type DoctorOptions = SessionOptions & { readonly values?: boolean };

export type Diagnosis = Pick<TargetsCheck, "targets" | "orphansUnknown"> & {
  readonly checks: readonly CheckResult[];
};

/** Checks in the order in which a rotation needs the parts: credentials, stack, clusters, Secrets. */
export async function runDoctor(
  cli: Cli,
  options: DoctorOptions,
  reportProgress: ReportProgress,
): Promise<Diagnosis> {
  const named = await loadNamedFile(cli, options);
  reportProgress("credentials");
  const { aws, results: account } = await checkAccount(cli, options);
  reportProgress("stack");
  const { stack, results: deployed }: StackCheck =
    aws === undefined
      ? { results: [skipped("stack", "AWS credentials"), ...skippedParts("AWS credentials")] }
      : await checkStack(aws, options.stackName, cli.now());
  const { loaded, results: published } =
    named === undefined ? await checkBindings(cli, options, aws, stack) : { loaded: named, results: [] };
  const before = [...account, ...deployed, ...published];
  if (loaded === undefined) return { checks: before, targets: [], orphansUnknown: [] };
  const { compiled: bindings, selectedBy } = loaded;
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
        selectedBy,
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
      : await checkTargets(await openSessionWith(cli, options, loaded, aws), {
          values: options.values === true,
          budget: startTimeBudget(TARGETS_MS_MAX),
        });
  return { checks: [...before, ...clusters.flat(), ...results], targets, orphansUnknown };
}

/** The published bindings. Without them, the checks go on with bindings.yaml if it exists. */
async function checkBindings(
  cli: Cli,
  { stackName }: DoctorOptions,
  aws: AwsSession | undefined,
  stack: DeployedStack | undefined,
): Promise<{ loaded?: LoadedBindings; results: CheckResult[] }> {
  const withFile = async (result: CheckResult) => {
    const results = [result];
    return (await hasFile(cli)) ? { results, loaded: await loadFile(cli, BINDINGS_FILE) } : { results };
  };
  if (aws === undefined || stack === undefined) {
    return withFile(skipped("bindings", aws === undefined ? "AWS credentials" : "the stack"));
  }
  try {
    const loaded = await loadPublished(cli, stackName, aws);
    const { rules, compiled } = loaded;
    const says = `generation ${rules.generation} is in force, with ${plural(compiled.bindings.length, "Secret")}`;
    return { loaded, results: [ok("bindings", says)] };
  } catch (error) {
    return withFile(wrongBy("bindings", error));
  }
}

/** The limit for the retries against an unreachable API server. */
const CLUSTER_MS_MAX = 20_000;
const TARGETS_MS_MAX = 300_000;
