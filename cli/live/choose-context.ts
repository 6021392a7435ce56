import type { ClusterConfig } from "../../shared/bindings/binding.ts";

/** A context of a kubeconfig, and where it leads. */
export type KubeContext = {
  readonly name: string;
  /** The name of its cluster entry; `aws eks update-kubeconfig` writes the ARN there. */
  readonly clusterName: string;
  readonly server: string;
};

/**
 * The context that leads to a cluster of the bindings: by endpoint, by ARN, or by a name that tells cluster and Region.
 * Several lead to one cluster when several users have a context for it: then the current one counts, or the first.
 * Pure.
 */
export function chooseContext(
  clusterKey: string,
  cluster: ClusterConfig,
  contexts: readonly KubeContext[],
  currentContext: string | undefined,
): KubeContext | undefined {
  for (const leadsThere of [byEndpoint(cluster), byArn(cluster), byName(clusterKey, cluster)]) {
    const found = contexts.filter(leadsThere);
    const current = found.find(({ name }) => name === currentContext);
    if (found.length > 0) return current ?? found[0];
  }
  return undefined;
}

type Leads = (context: KubeContext) => boolean;

const byEndpoint =
  ({ endpoint }: ClusterConfig): Leads =>
  ({ server }) =>
    endpoint !== undefined && origin(server) === origin(endpoint);

const byArn =
  ({ name, region }: ClusterConfig): Leads =>
  (context) =>
    [context.clusterName, context.name].some((text) => {
      const [, inRegion, called] = /^arn:aws[\w-]*:eks:([\w-]+):[0-9]{12}:cluster\/(.+)$/.exec(text) ?? [];
      return inRegion === region && called === name;
    });

/** A mere name may be that of another cluster: with a pinned endpoint it does not count, nor when the server tells another Region. */
const byName =
  (clusterKey: string, { name, region, endpoint }: ClusterConfig): Leads =>
  (context) => {
    if (endpoint !== undefined) return false;
    const [, serverRegion] = /\.([a-z0-9-]+)\.eks\.amazonaws\.com/.exec(context.server) ?? [];
    if (serverRegion !== undefined && serverRegion !== region) return false;
    const ofEksctl = `${name}.${region}.eksctl.io`;
    return [clusterKey, name, ofEksctl].some(
      (wanted) =>
        context.name === wanted || context.clusterName === wanted || context.name.endsWith(`@${wanted}`),
    );
  };

function origin(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}
