import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";

/** How much there is to keep fresh. */
export type Load = {
  /** Distinct secrets of Secrets Manager. */
  readonly secrets: number;
  /** Kubernetes Secrets. */
  readonly targets: number;
  /**
   * What a polling operator reads in one round: for each Kubernetes Secret one GetSecretValue for every source in it.
   * External Secrets Operator makes one for each distinct key and version of an ExternalSecret, and shares nothing
   * between two of them.
   */
  readonly pollReads: number;
  /** What the relay reads when each secret is rotated once: one for each cluster that has it. */
  readonly rotationReads: number;
  readonly namespaces: number;
  readonly clusters: number;
};

/** Of the bindings as they are: a source that goes to five targets is polled five times and listed once. */
export function loadOfBindings({ bindings }: CompiledBindings): Load {
  const pairs = bindings.flatMap(({ sources, target }) =>
    sources.map(({ id }) => ({
      source: id,
      cluster: target.cluster,
      namespace: `${target.cluster}/${target.namespace}`,
      target: nameOfTarget(target),
    })),
  );
  const distinct = (of: (pair: (typeof pairs)[number]) => string) => new Set(pairs.map(of)).size;
  return {
    secrets: distinct(({ source }) => source),
    targets: distinct(({ target }) => target),
    pollReads: distinct(({ source, target }) => `${target} ${source}`),
    rotationReads: distinct(({ source, cluster }) => `${cluster} ${source}`),
    namespaces: distinct(({ namespace }) => namespace),
    clusters: distinct(({ cluster }) => cluster),
  };
}

/** Of plain numbers: each target holds one secret. */
export function loadOfNumbers(numbers: {
  readonly secrets: number;
  readonly namespaces: number;
  readonly targets: number;
  readonly clusters: number;
}): Load {
  const { secrets, targets, clusters } = numbers;
  return {
    ...numbers,
    pollReads: targets,
    rotationReads: Math.max(secrets, Math.min(targets, secrets * clusters)),
  };
}
