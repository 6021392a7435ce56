import type { ClusterConfig, CompiledBindings } from "../../shared/bindings/binding.ts";
import { assumeRoleWith, describeCluster } from "../../shared/cluster/aws-clients.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { connectClusters } from "../../shared/cluster/connect-clusters.ts";
import { aliasDetector } from "../../shared/cluster/detect-aliases.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { loadKubeconfig } from "../kubeconfig/load-kubeconfig.ts";
import { type AwsSession, openAwsSession } from "./aws-session.ts";
import { checkAccount, chooseContext } from "./choose-context.ts";
import { connectContext } from "./connect-context.ts";
import { ClusterUnreached } from "./errors.ts";
import type { ClusterOptions } from "./options.ts";
import { withCallerErrors } from "./with-caller-errors.ts";

export type BoundClusters = {
  readonly connect: (clusterKey: string) => ClusterConnection;
  /** The login that is used: `kubeconfig context prod-admin`, or `EKS token of arn:…`. */
  readonly loginFor: (clusterKey: string) => string;
};

/** The default of the functions (TargetsAtOnce of the template). */
export const TARGETS_AT_ONCE = 8;

type Listeners = { readonly onRequest: () => void; readonly onThrottled: () => void };

export const NO_LISTENERS: Listeners = { onRequest: () => {}, onThrottled: () => {} };

/** For a command that needs nothing else of AWS: it uses AWS credentials only if a cluster has no matching context. */
export async function connectWithFallback(
  cli: Cli,
  options: ClusterOptions,
  bindings: CompiledBindings,
): Promise<BoundClusters> {
  const listeners = NO_LISTENERS;
  const byContext = await connectBoundClusters(cli, options, bindings, { aws: undefined, listeners });
  try {
    for (const clusterKey of Object.keys(bindings.clusters)) byContext.loginFor(clusterKey);
    return byContext;
  } catch (error) {
    if (!(error instanceof ClusterUnreached)) throw error;
    return connectBoundClusters(cli, options, bindings, { aws: await openAwsSession(options), listeners });
  }
}

/**
 * Connects each cluster of the bindings by a matching kubeconfig context, or else by an EKS token of the AWS
 * credentials. Without AWS credentials, only contexts are used.
 */
export async function connectBoundClusters(
  cli: Cli,
  options: ClusterOptions,
  { clusters }: CompiledBindings,
  { aws, listeners }: { readonly aws: AwsSession | undefined; readonly listeners: Listeners },
): Promise<BoundClusters> {
  const { context: contextName, eksToken = false } = options;
  if (contextName !== undefined && Object.keys(clusters).length > 1) {
    throw new UsageError(
      "--context needs bindings with one cluster, and these have several. Remove it: each cluster finds its context by name, ARN or endpoint.",
    );
  }
  const kubeconfig = eksToken ? undefined : await loadKubeconfig(cli, options.kubeconfig);
  const namedContext = contextName === undefined ? undefined : kubeconfig?.get(contextName);
  const connectByToken = aws && tokenConnections(cli, clusters, aws, listeners);
  const aliases = aliasDetector();
  const connections = new Map<string, { connection: ClusterConnection; login: string }>();

  const open = (clusterKey: string) => {
    const known = connections.get(clusterKey);
    if (known !== undefined) return known;
    const cluster = clusters[clusterKey];
    if (cluster === undefined) throw new TypeError("A compiled binding names a cluster that is not compiled");
    const accountId = accountOf(cluster, aws);
    if (namedContext !== undefined && cluster.endpoint === undefined) {
      checkAccount(clusterKey, namedContext, accountId);
    }
    const { contexts = [], currentContext } = kubeconfig ?? {};
    const context =
      namedContext ?? chooseContext(clusterKey, cluster, { contexts, currentContext, accountId });
    const limits = { clusterKey, cluster, connectionsMax: TARGETS_AT_ONCE, wait: cli.wait, ...listeners };
    const connection =
      kubeconfig !== undefined && context !== undefined
        ? connectContext(kubeconfig, context, limits)
        : connectByToken?.(clusterKey);
    if (connection === undefined) throw new ClusterUnreached(clusterKey, cluster);
    const login =
      context === undefined ? `EKS token of ${aws?.callerArn}` : `kubeconfig context ${context.name}`;
    // Two keys can name one API server, one by a context and the other by a token.
    const guarded = aliases.guard(clusterKey, connection);
    const opened = { connection: withCallerErrors(guarded, { clusterKey, cluster, as: login }), login };
    connections.set(clusterKey, opened);
    return opened;
  };
  return {
    connect: (clusterKey) => open(clusterKey).connection,
    loginFor: (clusterKey) => open(clusterKey).login,
  };
}

/** A role for the cluster belongs to the account of the cluster. */
function accountOf({ roleArn }: ClusterConfig, aws: AwsSession | undefined): string | undefined {
  return roleArn?.split(":")[4] ?? aws?.location.accountId;
}

function tokenConnections(
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
    wait: cli.wait,
    tokenLifeMs: TOKEN_LIFE_MS,
    fips: process.env.AWS_USE_FIPS_ENDPOINT === "true",
    connectionsMax: TARGETS_AT_ONCE,
    onTokenMinted: () => {},
    ...listeners,
  });
}

/** The default of the functions. */
const TOKEN_LIFE_MS = 600_000;
