import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { assumeRoleWith, describeCluster } from "../../shared/cluster/aws-clients.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { connectClusters } from "../../shared/cluster/connect-clusters.ts";
import { aliasDetector } from "../../shared/cluster/detect-aliases.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import type { AwsSession } from "./aws-session.ts";
import { chooseContext } from "./choose-context.ts";
import { connectContext } from "./connect-context.ts";
import { ClusterUnreached } from "./errors.ts";
import { loadKubeconfig } from "./kubeconfig.ts";
import type { LiveOptions } from "./options.ts";
import { tellCaller } from "./tell-caller.ts";

export type ReachedClusters = {
  readonly connect: (clusterKey: string) => ClusterConnection;
  /** How a cluster is reached: `kubeconfig context prod-admin`, or `EKS token of arn:…`. */
  readonly wayTo: (clusterKey: string) => string;
};

/** As the functions have it by default (TargetsAtOnce of the template). */
export const TARGETS_AT_ONCE = 8;

type Listeners = { readonly onRequest: () => void; readonly onThrottled: () => void };

/**
 * Each cluster of the bindings by a kubeconfig context that leads to it, or by an EKS token of the AWS credentials.
 * Without those, by a context alone: what asks nothing of AWS needs no AWS.
 */
export async function reachClusters(
  cli: Cli,
  options: Omit<LiveOptions, "bindings">,
  { clusters }: CompiledBindings,
  { aws, listeners }: { readonly aws: AwsSession | undefined; readonly listeners: Listeners },
): Promise<ReachedClusters> {
  const { context: named, eksToken = false } = options;
  if (named !== undefined && Object.keys(clusters).length > 1) {
    throw new UsageError(
      "--context is for bindings of one cluster; these name several. Leave it out: each cluster finds its context by name, ARN or endpoint.",
    );
  }
  const kubeconfig = eksToken ? undefined : await loadKubeconfig(cli, options.kubeconfig);
  const asked = named === undefined ? undefined : kubeconfig?.get(named);
  const byToken = aws && connectByToken(cli, clusters, aws, listeners);
  const aliases = aliasDetector();
  const reached = new Map<string, { connection: ClusterConnection; way: string }>();

  const reach = (clusterKey: string) => {
    const known = reached.get(clusterKey);
    if (known !== undefined) return known;
    const cluster = clusters[clusterKey];
    if (cluster === undefined) throw new TypeError("A compiled binding names a cluster that is not compiled");
    const context =
      asked ?? chooseContext(clusterKey, cluster, kubeconfig?.contexts ?? [], kubeconfig?.currentContext);
    const limits = { clusterKey, cluster, connectionsMax: TARGETS_AT_ONCE, ...listeners };
    const connection =
      kubeconfig !== undefined && context !== undefined
        ? connectContext(kubeconfig, context, limits)
        : byToken?.(clusterKey);
    if (connection === undefined) throw new ClusterUnreached(clusterKey, cluster);
    const way =
      context === undefined ? `EKS token of ${aws?.callerArn}` : `kubeconfig context ${context.name}`;
    // One entry by a context and another by a token may lead to one API server, too.
    const guarded = aliases.guard(clusterKey, connection);
    const made = { connection: tellCaller(guarded, { clusterKey, cluster, as: way }), way };
    reached.set(clusterKey, made);
    return made;
  };
  return {
    connect: (clusterKey) => reach(clusterKey).connection,
    wayTo: (clusterKey) => reach(clusterKey).way,
  };
}

function connectByToken(
  cli: Cli,
  clusters: CompiledBindings["clusters"],
  aws: AwsSession,
  listeners: Listeners,
): (clusterKey: string) => ClusterConnection {
  return connectClusters(clusters, {
    ownCredentials: aws.client.credentials,
    assumeRole: assumeRoleWith(aws.client.credentials),
    describeCluster,
    now: cli.now,
    tokenLifeMs: TOKEN_LIFE_MS,
    fips: process.env.AWS_USE_FIPS_ENDPOINT === "true",
    connectionsMax: TARGETS_AT_ONCE,
    onTokenMinted: () => {},
    ...listeners,
  });
}

/** As the functions have it by default. */
const TOKEN_LIFE_MS = 600_000;
