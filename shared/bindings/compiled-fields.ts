import type { Binding, ClusterConfig } from "./binding.ts";

/** Whether it is a compiled binding of one of these clusters. Its fields are those of published/part.schema.json. */
export const isBinding = (value: unknown, clusters: object): value is Binding =>
  hasBindingFields(value) && Object.hasOwn(clusters, (value as Binding).target.cluster);

/** Its fields are those of published/pointer.schema.json. */
export const isCluster = (value: unknown): value is ClusterConfig => hasClusterFields(value);

export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isBoolean: Check = (value) => typeof value === "boolean";
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const listOf =
  (check: Check, itemsMin = 0): Check =>
  (value) =>
    Array.isArray(value) && value.length >= itemsMin && value.every(check);
const mapOf =
  (check: Check): Check =>
  (value) =>
    isMap(value) && Object.values(value).every(check);

/** Unknown fields are allowed. */
const fields =
  (required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value) =>
    isMap(value) &&
    Object.entries(required).every(([key, check]) => check(value[key])) &&
    Object.entries(optional).every(([key, check]) => value[key] === undefined || check(value[key]));

const encoding = { decode: oneOf("base64", "base64url", "auto") };
const isKeySource = either(
  ...["key", "jmespath", "template"].map((way) => fields({ [way]: isText }, encoding)),
);
const isKeyRule = either(
  fields({ kind: oneOf("all", "none") }),
  fields({ kind: oneOf("selected"), keys: mapOf(isText) }),
  fields({ kind: oneOf("value"), key: isText }, encoding),
  fields({ kind: oneOf("composed"), keys: mapOf(isKeySource) }),
  fields(
    {
      kind: oneOf("extracted"),
      include: listOf(isText),
      exclude: listOf(isText),
      rename: listOf(fields({ pattern: isText, to: isText })),
    },
    { jmespath: isText, ...encoding },
  ),
);
const isSource = fields(
  { id: isText, names: listOf(isText, 1), keys: isKeyRule },
  {
    location: fields({ partition: isText, region: isText, accountId: isText }),
    suffix: isText,
    stage: isText,
    versionId: isText,
    name: isText,
  },
);
const hasClusterFields = fields(
  { name: isText, region: isText },
  {
    roleArn: isText,
    endpoint: isText,
    certificateAuthorityData: isText,
    externalSecrets: fields({ namespaces: either(oneOf("all"), listOf(isText)), deadlineSeconds: isCount }),
  },
);
const isWorkload = fields({ kind: oneOf("Deployment", "StatefulSet", "DaemonSet", "Rollout"), name: isText });
const hasBindingFields = fields(
  {
    sources: listOf(isSource, 1),
    target: fields({ cluster: isText, namespace: isText, name: isText }),
    type: isText,
    labels: mapOf(isText),
    annotations: mapOf(isText),
    adopt: isBoolean,
    deletionPolicy: oneOf("retain", "delete"),
    fingerprint: isText,
  },
  {
    namedKeys: mapOf(isKeySource),
    collisions: oneOf("last"),
    ownership: oneOf("keys"),
    foreignKeys: oneOf("remove"),
    immutable: oneOf("refuse", "replace"),
    webhookId: isText,
    restart: fields({
      workloads: either(oneOf("auto"), listOf(isWorkload)),
      delaySeconds: isCount,
      order: oneOf("together", "sequence"),
      minimumIntervalSeconds: isCount,
    }),
    nudge: oneOf(true),
    checkPods: oneOf(true),
    events: oneOf(true),
  },
);

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
