import type { SourceAt } from "../source/secret-id.ts";

/** A Kubernetes Secret that the relay manages. `cluster` is the key in `clusters` of bindings.yaml. */
export type TargetRef = { readonly cluster: string; readonly namespace: string; readonly name: string };

export type ClusterConfig = {
  /** The EKS cluster name, which is signed into every token. */
  readonly name: string;
  readonly region: string;
  /** The role to assume for DescribeCluster and the token; default: the function's own role. */
  readonly roleArn?: string;
  /** Both or neither; with both, the relay does not call EKS. */
  readonly endpoint?: string;
  readonly certificateAuthorityData?: string;
  /** Trigger mode: nudge ESO's objects in this cluster when a source that they read changes. */
  readonly externalSecrets?: ExternalSecretsRule;
};

export type ExternalSecretsRule = {
  readonly namespaces: "all" | readonly string[];
  readonly deadlineSeconds: number;
};

/** How the data of the Secret is made from the source's value. */
export type KeyRule =
  /** Every key of the source's JSON object. */
  | { readonly kind: "all" }
  /** Secret key -> key of the source's JSON object. */
  | { readonly kind: "selected"; readonly keys: Readonly<Record<string, string>> }
  /** The whole value, text or binary, under one key. */
  | { readonly kind: "value"; readonly key: string; readonly decode?: Decoding }
  /** Nothing by itself: the keys of the binding use the source under its name. */
  | { readonly kind: "none" }
  /** Secret key -> a key of the source, an expression or a template. */
  | { readonly kind: "composed"; readonly keys: Readonly<Record<string, KeySource>> }
  /** The keys of the source's JSON object that match the patterns. */
  | {
      readonly kind: "extracted";
      /** Where that object is in the source; absent: it is the whole source. */
      readonly jmespath?: string;
      readonly decode?: Decoding;
      readonly include: readonly string[];
      readonly exclude: readonly string[];
      readonly rename: readonly KeyRename[];
    };

export type KeySource = (
  | { readonly key: string }
  | { readonly jmespath: string }
  | { readonly template: string }
) & { readonly decode?: Decoding };

export type NamedKeys = Readonly<Record<string, KeySource>>;

/** `auto`: text that looks like base64 or base64url is decoded, and any other value stays as it is. */
export type Decoding = "base64" | "base64url" | "auto";

/** In both, `*` matches any string. */
export type KeyRename = { readonly pattern: string; readonly to: string };

export type DeletionPolicy = "retain" | "delete";

export type WorkloadKind = "Deployment" | "StatefulSet" | "DaemonSet" | "Rollout";

/** A workload in the namespace of the target. */
export type WorkloadRef = { readonly kind: WorkloadKind; readonly name: string };

/** The workloads to restart when the data of the target changes. */
export type RestartRule = {
  /** `auto`: the workloads whose pods use the Secret. */
  readonly workloads: "auto" | readonly WorkloadRef[];
  readonly delaySeconds: number;
  readonly order: "together" | "sequence";
  readonly minimumIntervalSeconds: number;
};

export type BoundSource = SourceAt & {
  readonly keys: KeyRule;
  /** By which the keys of the binding use its whole value. */
  readonly name?: string;
};

/** One target with its sources. A binding of bindings.yaml with three targets is compiled into three. */
export type Binding = {
  /** Merged in this order. */
  readonly sources: readonly [BoundSource, ...BoundSource[]];
  /** Secret key -> how its text is made of the named sources. Merged after the keys of each source. */
  readonly namedKeys?: NamedKeys;
  /** The last source wins a key that several sources set; absent: the target is refused. */
  readonly collisions?: "last";
  readonly target: TargetRef;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Take over a Secret or fields that the relay never owned, except those of a controller or another relay. */
  readonly adopt: boolean;
  /** For a target whose binding or source is gone. */
  readonly deletionPolicy: DeletionPolicy;
  /** The relay owns only its keys in a shared Secret; absent: it owns the whole Secret. */
  readonly ownership?: "keys";
  /** Remove foreign keys from a wholly owned Secret at the next write; absent: keep them. */
  readonly foreignKeys?: "remove";
  /** The Secret is immutable; when its data must change, refuse, or delete and recreate it. */
  readonly immutable?: "refuse" | "replace";
  /** A digest of the rules above, never of a value. It shows that the rules changed since the last apply. */
  readonly fingerprint: string;
  /** The id by which callers of the webhook may name the source. */
  readonly webhookId?: string;
  readonly restart?: RestartRule;
  /** Annotate the Pods that mount the Secret, so that kubelet updates their files at once. */
  readonly nudge?: true;
  /** Report Pods that read the Secret at their start and run with an older value. */
  readonly checkPods?: true;
  /** Post Kubernetes Events about the Secret. */
  readonly events?: true;
};

/** What bindings.yaml is compiled to, for the functions. */
export type CompiledBindings = {
  readonly version: 1;
  /** The name of the relay that these bindings are for. */
  readonly relay: string;
  readonly clusters: Readonly<Record<string, ClusterConfig>>;
  readonly bindings: readonly Binding[];
};
