import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { type BindingIndex, createBindingIndex } from "../../shared/bindings/binding-index.ts";
import { assumeRoleWith, describeCluster } from "../../shared/cluster/aws-clients.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { connectClusters } from "../../shared/cluster/connect-clusters.ts";
import { waitFor } from "../../shared/retry/retry.ts";
import { readCurrentWith } from "../../shared/source/read-current.ts";
import { readManyWith } from "../../shared/source/read-many.ts";
import {
  type CallListeners,
  type ClientFor,
  secretsManagerClients,
} from "../../shared/source/secrets-manager-clients.ts";
import { sourceCatalog } from "../../shared/source/source-catalog.ts";
import type { SweepDependencies } from "../../shared/sweep/sweep-dependencies.ts";
import { loadBindingsFile } from "../bindings-file.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { type AwsSession, openAwsSession } from "./aws-session.ts";
import { chooseContext } from "./choose-context.ts";
import { connectContext } from "./connect-context.ts";
import { loadKubeconfig } from "./kubeconfig.ts";
import type { LiveOptions } from "./options.ts";
import { tellCaller } from "./tell-caller.ts";

/** The relay's parts as the functions have them, with the rights of whoever runs the command. */
export type Live = SweepDependencies & {
  readonly aws: AwsSession;
  readonly bindings: CompiledBindings;
  readonly index: BindingIndex;
  readonly clientFor: ClientFor;
  /** How a cluster is reached: `kubeconfig context prod-admin`, or `EKS token of arn:…`. */
  readonly wayTo: (clusterKey: string) => string;
};

/** AWS by the ordinary credentials, and each cluster of the bindings by a kubeconfig context or by an EKS token. */
export async function openLive(cli: Cli, options: LiveOptions): Promise<Live> {
  const bindings = await loadBindingsFile(cli, options.bindings);
  const aws = await openAwsSession(options);
  const calls = { aws: 0, kubernetes: 0, throttles: 0 };
  const count = (kind: keyof typeof calls) => () => {
    calls[kind] += 1;
  };
  const clientFor = sourceClients(aws, { onCall: count("aws"), onThrottled: count("throttles") });
  const clusters = await reachClusters(cli, options, bindings, aws, {
    onRequest: count("kubernetes"),
    onThrottled: count("throttles"),
  });
  return {
    aws,
    bindings,
    index: createBindingIndex(bindings, aws.home),
    clientFor,
    readCurrent: readCurrentWith(clientFor),
    readMany: readManyWith(clientFor),
    catalog: sourceCatalog(clientFor),
    ...clusters,
    now: cli.now,
    wait: waitFor,
    followUp: async (settled, budget) => {
      const { followUpWith } = await import("../../shared/workloads/follow-up.ts");
      return followUpWith({ connect: clusters.connect, now: cli.now, wait: waitFor })(settled, budget);
    },
    targetsAtOnce: TARGETS_AT_ONCE,
    calls: () => ({ ...calls }),
  };
}

/** The sources alone, for a command that has no bindings at hand. */
export async function openSources(
  options: Pick<LiveOptions, "profile" | "region">,
): Promise<Pick<Live, "aws" | "catalog">> {
  const aws = await openAwsSession(options);
  return { aws, catalog: sourceCatalog(sourceClients(aws)) };
}

function sourceClients(aws: AwsSession, listeners: CallListeners = {}): ClientFor {
  return secretsManagerClients((config) => new SecretsManagerClient({ ...aws.client, ...config }), listeners);
}

/** As the functions have it by default (TargetsAtOnce of the template). */
const TARGETS_AT_ONCE = 8;

type Listeners = { readonly onRequest: () => void; readonly onThrottled: () => void };

async function reachClusters(
  cli: Cli,
  options: LiveOptions,
  { clusters }: CompiledBindings,
  aws: AwsSession,
  listeners: Listeners,
): Promise<Pick<Live, "connect" | "wayTo">> {
  const { context: named, eksToken = false } = options;
  if (named !== undefined && Object.keys(clusters).length > 1) {
    throw new UsageError(
      "--context is for bindings of one cluster; these name several. Leave it out: each cluster finds its context by name, ARN or endpoint.",
    );
  }
  const kubeconfig = eksToken ? undefined : await loadKubeconfig(cli, options.kubeconfig);
  const asked = named === undefined ? undefined : kubeconfig?.get(named);
  const byToken = connectClusters(clusters, {
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
  const reached = new Map<string, { connection: ClusterConnection; way: string }>();
  const reach = (clusterKey: string) => {
    const known = reached.get(clusterKey);
    if (known !== undefined) return known;
    const cluster = clusters[clusterKey];
    if (cluster === undefined) throw new TypeError("A compiled binding names a cluster that is not compiled");
    const context =
      asked ?? chooseContext(clusterKey, cluster, kubeconfig?.contexts ?? [], kubeconfig?.currentContext);
    const way =
      context === undefined ? `EKS token of ${aws.callerArn}` : `kubeconfig context ${context.name}`;
    const connection =
      kubeconfig !== undefined && context !== undefined
        ? connectContext(kubeconfig, context, {
            clusterKey,
            cluster,
            connectionsMax: TARGETS_AT_ONCE,
            ...listeners,
          })
        : byToken(clusterKey);
    const made = { connection: tellCaller(connection, { clusterKey, cluster, as: way }), way };
    reached.set(clusterKey, made);
    return made;
  };
  return {
    connect: (clusterKey) => reach(clusterKey).connection,
    wayTo: (clusterKey) => reach(clusterKey).way,
  };
}

/** As the functions have it by default. */
const TOKEN_LIFE_MS = 600_000;
