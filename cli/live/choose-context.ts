import type { ClusterConfig } from "../../shared/bindings/binding.ts";

/** A context of a kubeconfig and its cluster. */
export type KubeContext = {
  readonly name: string;
  /** The name of its cluster entry; `aws eks update-kubeconfig` writes the ARN there. */
  readonly clusterName: string;
  readonly server: string;
};

/**
 * The context of a cluster of the bindings, matched by endpoint, by ARN, or by a name that contains cluster and Region.
 * If several contexts match, because several users have one, the current one counts, or else the first. Pure.
 */
export function chooseContext(
  clusterKey: string,
  cluster: ClusterConfig,
  contexts: readonly KubeContext[],
  currentContext: string | undefined,
): KubeContext | undefined {
  for (const matches of [byEndpoint(cluster), byArn(cluster), byName(clusterKey, cluster)]) {
    const found = contexts.filter(matches);
    const current = found.find(({ name }) => name === currentContext);
    if (found.length > 0) return current ?? found[0];
  }
  return undefined;
}

type Matcher = (context: KubeContext) => boolean;

const byEndpoint =
  ({ endpoint }: ClusterConfig): Matcher =>
  ({ server }) =>
    endpoint !== undefined && origin(server) === origin(endpoint);

const byArn =
  ({ name, region }: ClusterConfig): Matcher =>
  (context) =>
    [context.clusterName, context.name].some((text) => {
      const [, arnRegion, arnName] = /^arn:aws[\w-]*:eks:([\w-]+):[0-9]{12}:cluster\/(.+)$/.exec(text) ?? [];
      return arnRegion === region && arnName === name;
    });

/** Another cluster can have the same name, so a name does not count with a pinned endpoint or for a server in another Region. */
const byName =
  (clusterKey: string, { name, region, endpoint }: ClusterConfig): Matcher =>
  (context) => {
    if (endpoint !== undefined) return false;
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
