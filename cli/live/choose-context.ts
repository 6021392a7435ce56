import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import { ContextOfAnotherAccount } from "./errors.ts";

/** A context of a kubeconfig and its cluster. */
export type KubeContext = {
  readonly name: string;
  /** The name of its cluster entry; `aws eks update-kubeconfig` writes the ARN there. */
  readonly clusterName: string;
  readonly server: string;
};

/**
 * The context of a cluster of the bindings, matched by endpoint, by ARN, or by a name that contains cluster and Region.
 * If several contexts match, because several users have one, the current one counts, or else the first. Throws
 * ContextOfAnotherAccount if the only match is the ARN of a cluster of the same name in another account. Pure.
 */
export function chooseContext(
  clusterKey: string,
  cluster: ClusterConfig,
  { contexts, currentContext, accountId }: ContextChoice,
): KubeContext | undefined {
  for (const matches of [byEndpoint(cluster), byArn(cluster, accountId), byName(clusterKey, cluster)]) {
    const found = contexts.filter(matches);
    const current = found.find(({ name }) => name === currentContext);
    if (found.length > 0) return current ?? found[0];
  }
  const other = cluster.endpoint === undefined ? contexts.find(byArn(cluster, undefined)) : undefined;
  if (other !== undefined) checkAccount(clusterKey, other, accountId);
  return undefined;
}

export type ContextChoice = {
  readonly contexts: readonly KubeContext[];
  readonly currentContext: string | undefined;
  /** The account of the cluster; undefined without AWS credentials. */
  readonly accountId: string | undefined;
};

/** Throws ContextOfAnotherAccount if the context names its account by an ARN, and it is another one. */
export function checkAccount(clusterKey: string, context: KubeContext, accountId: string | undefined): void {
  const found = eksArnOf(context)?.accountId;
  if (found === undefined || accountId === undefined || found === accountId) return;
  throw new ContextOfAnotherAccount(clusterKey, context.name, { found, expected: accountId });
}

type Matcher = (context: KubeContext) => boolean;

const byEndpoint =
  ({ endpoint }: ClusterConfig): Matcher =>
  ({ server }) =>
    endpoint !== undefined && origin(server) === origin(endpoint);

const byArn =
  ({ name, region }: ClusterConfig, accountId: string | undefined): Matcher =>
  (context) => {
    const arn = eksArnOf(context);
    const isSameAccount = accountId === undefined || arn?.accountId === accountId;
    return arn?.region === region && arn.name === name && isSameAccount;
  };

type EksArn = { readonly region: string; readonly accountId: string; readonly name: string };

function eksArnOf(context: KubeContext): EksArn | undefined {
  for (const text of [context.clusterName, context.name]) {
    const [, region, accountId, name] = EKS_ARN.exec(text) ?? [];
    if (region && accountId && name) return { region, accountId, name };
  }
  return undefined;
}

const EKS_ARN = /^arn:aws[\w-]*:eks:([\w-]+):([0-9]{12}):cluster\/(.+)$/;

/**
 * Another cluster can have the same name, so a name does not count with a pinned endpoint, for a server in another
 * Region, or for a context with an ARN, which is more exact.
 */
const byName =
  (clusterKey: string, { name, region, endpoint }: ClusterConfig): Matcher =>
  (context) => {
    if (endpoint !== undefined || eksArnOf(context) !== undefined) return false;
    const [, serverRegion] = /\.([a-z0-9-]+)\.eks\.amazonaws\.com/.exec(context.server) ?? [];
    if (serverRegion !== undefined && serverRegion !== region) return false;
    const eksctlName = `${name}.${region}.eksctl.io`;
    return [clusterKey, name, eksctlName].some(
      (known) =>
        context.name === known || context.clusterName === known || context.name.endsWith(`@${known}`),
    );
  };

function origin(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}
