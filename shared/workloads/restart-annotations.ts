import { createHash } from "node:crypto";
import type { WorkloadKind } from "../bindings/binding.ts";
import { parseVersionId } from "../source/parse-version-id.ts";
import type { VersionId } from "../source/secret-id.ts";
import type { RawObject } from "./workload.ts";

/** The field manager for workloads and Pods. */
export const READERS_FIELD_MANAGER = "secret-relay-restart";

/** When the relay last restarted the workload, for any Secret: ISO 8601 by the relay's clock. */
export const RESTARTED_AT = "secret-relay/restarted-at";

/**
 * On a pod template (or a Rollout): the version of this Secret that it was restarted for. On the metadata of a workload
 * that the relay never restarted: the version that it started with.
 */
export const restartedFor = (secretName: string): string => annotationKey(RESTARTED_FOR, secretName);

const RESTARTED_FOR = "restarted-for";

/** A restart is recorded on the pod template, but a Rollout would start a canary then. */
export const annotationsOfRestart = (
  kind: WorkloadKind,
  { metadata, spec }: RawObject,
): Readonly<Record<string, string>> =>
  (kind === "Rollout" ? metadata : spec?.template?.metadata)?.annotations ?? {};

export type SecretVersion = { readonly secretName: string; readonly versionId: VersionId };

/** The versions that the workload runs with, by the name of the Secret. A name that is too long for a key is left out. */
export function recordedVersions(kind: WorkloadKind, workload: RawObject): ReadonlyMap<string, string> {
  const records = { ...workload.metadata?.annotations, ...annotationsOfRestart(kind, workload) };
  return new Map(
    Object.entries(records).flatMap(([key, version]): [string, string][] => {
      const [, name] = RECORD.exec(key) ?? [];
      return name === undefined || DIGEST.test(name) ? [] : [[name, version]];
    }),
  );
}

/** On the metadata of a workload: the version of this Secret that all of its pods run with, since a restart. */
export const rolledOut = (secretName: string): string => annotationKey("rolled-out", secretName);

/** `at`: when the rollout had completed, ms since the epoch. */
export type RolledOut = { readonly versionId: VersionId; readonly at: number };

export const printRolledOut = ({ versionId, at }: RolledOut): string =>
  `${versionId} ${new Date(at).toISOString()}`;

/** Undefined when the text was not written by the relay. */
export function parseRolledOut(text: string | undefined): RolledOut | undefined {
  const [version, time = "", ...rest] = (text ?? "").split(" ");
  const versionId = parseVersionId(version);
  const at = Date.parse(time);
  return versionId === undefined || Number.isNaN(at) || rest.length > 0 ? undefined : { versionId, at };
}

/** On a Pod: the version of this Secret that it was nudged for. */
export const nudgedFor = (secretName: string): string => annotationKey("nudged-for", secretName);

/** A merge patch of a workload; null removes an annotation. */
export type AnnotationsPatch = {
  readonly metadata: { readonly resourceVersion?: string | undefined; readonly annotations?: Annotations };
  readonly spec?:
    | { readonly template: { readonly metadata: { readonly annotations: Annotations } } }
    /** Of a Rollout. */
    | { readonly restartAt: string };
};

type Annotations = Readonly<Record<string, string | null>>;

/** Whether the workload has the annotations of the patch. They hold a time in ms, so no other invocation sent the same. */
export function carries({ metadata, spec }: RawObject, patch: AnnotationsPatch): boolean {
  const template = patch.spec && "template" in patch.spec ? patch.spec.template.metadata.annotations : {};
  return (
    hasAll(metadata?.annotations, patch.metadata.annotations) &&
    hasAll(spec?.template?.metadata?.annotations, template)
  );
}

const hasAll = (live: Annotations = {}, sent: Annotations = {}): boolean =>
  Object.entries(sent).every(([key, value]) => (live[key] ?? null) === value);

function annotationKey(prefix: string, secretName: string): string {
  const name = `${prefix}-${secretName}`;
  if (name.length <= NAME_LENGTH_MAX) return `secret-relay/${name}`;
  const digest = createHash("sha256").update(secretName).digest("hex").slice(0, DIGEST_LENGTH);
  return `secret-relay/${prefix}-${digest}`;
}

/** The limit of an annotation key's part after the slash. */
const NAME_LENGTH_MAX = 63;

const DIGEST_LENGTH = 32;
const DIGEST = new RegExp(`^[0-9a-f]{${DIGEST_LENGTH}}$`);
const RECORD = new RegExp(`^secret-relay/${RESTARTED_FOR}-(.+)$`);
