import type { WorkloadRef } from "../bindings/binding.ts";
import { type RawObject, WORKLOAD_KINDS } from "./workload.ts";

/** The workloads whose pods use the Secret. Pure. */
export function findUsers(workloads: readonly RawObject[], secretName: string): RawObject[] {
  const used = new Set(workloads.filter(({ spec }) => usesSecret(spec?.template?.spec, secretName)));
  const named = (ref: Partial<WorkloadRef>) =>
    workloads.find(({ kind, metadata }) => kind === ref.kind && metadata?.name === ref.name);
  for (const rollout of workloads) {
    // A Rollout may use the template of a Deployment, which then has no pods of its own.
    const borrowed = named((rollout.spec?.workloadRef ?? {}) as Partial<WorkloadRef>);
    if (rollout.kind !== "Rollout" || borrowed === undefined || !used.has(borrowed)) continue;
    used.delete(borrowed);
    used.add(rollout);
  }
  return [...used].filter(({ kind }) => (WORKLOAD_KINDS as readonly unknown[]).includes(kind));
}

/** Whether a pod spec refers to the Secret in any field that Kubernetes defines. Pure. */
export function usesSecret(podSpec: unknown, secretName: string): boolean {
  const spec = fieldsOf(podSpec);
  const isIt = (name: unknown): boolean => name === secretName;
  return (
    listOf(spec.imagePullSecrets).some(({ name }) => isIt(name)) ||
    [...listOf(spec.containers), ...listOf(spec.initContainers)].some((container) =>
      isReadByContainer(container, isIt),
    ) ||
    listOf(spec.volumes).some((volume) => isMounted(volume, isIt) || isUsedByDriver(volume, isIt))
  );
}

/** Whether the pod mounts the Secret as files, which the kubelet keeps up to date. Pure. */
export function mountsSecret(podSpec: unknown, secretName: string): boolean {
  return listOf(fieldsOf(podSpec).volumes).some((volume) => isMounted(volume, (name) => name === secretName));
}

/**
 * The containers that read the Secret only when they start: as environment variables, or through a subPath, which the
 * kubelet does not update. Init containers count if they keep running (restartPolicy: Always). Pure.
 */
export function readsAtStart(podSpec: unknown, secretName: string): string[] {
  const spec = fieldsOf(podSpec);
  const isIt = (name: unknown): boolean => name === secretName;
  const mounted = new Set(
    listOf(spec.volumes).flatMap((volume) => (isMounted(volume, isIt) ? [volume.name] : [])),
  );
  const isFixed = ({ name, subPath, subPathExpr }: Fields): boolean =>
    mounted.has(name) && (typeof subPath === "string" || typeof subPathExpr === "string");
  const sidecars = listOf(spec.initContainers).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...listOf(spec.containers), ...sidecars].flatMap((container) => {
    const reads = isReadByContainer(container, isIt) || listOf(container.volumeMounts).some(isFixed);
    return reads && typeof container.name === "string" ? [container.name] : [];
  });
}

type Fields = Readonly<Record<string, unknown>>;
type IsIt = (name: unknown) => boolean;

function isReadByContainer({ env, envFrom }: Fields, isIt: IsIt): boolean {
  return (
    listOf(env).some(({ valueFrom }) => isIt(fieldsOf(fieldsOf(valueFrom).secretKeyRef).name)) ||
    listOf(envFrom).some(({ secretRef }) => isIt(fieldsOf(secretRef).name))
  );
}

function isMounted({ secret, projected }: Fields, isIt: IsIt): boolean {
  const parts = listOf(fieldsOf(projected).sources);
  return isIt(fieldsOf(secret).secretName) || parts.some((part) => isIt(fieldsOf(part.secret).name));
}

/** Volume drivers that take credentials from a Secret: CSI, and the older kinds of volume. */
function isUsedByDriver(volume: Fields, isIt: IsIt): boolean {
  return Object.values(volume).some((source) => {
    const { secretRef, nodePublishSecretRef } = fieldsOf(source);
    return isIt(fieldsOf(secretRef).name) || isIt(fieldsOf(nodePublishSecretRef).name);
  });
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : []);
