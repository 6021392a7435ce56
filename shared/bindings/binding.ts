import type { SourceAt } from "../secret-id/secret-id.ts";

/** A Kubernetes Secret that the relay keeps. `cluster` is the key in `clusters` of bindings.yaml. */
export type TargetRef = { readonly cluster: string; readonly namespace: string; readonly name: string };

/** An EKS cluster as bindings.yaml describes it. */
export type ClusterConfig = {
  /** The EKS cluster name; it is signed into every token. */
  readonly name: string;
  readonly region: string;
  /** A role to assume for DescribeCluster and for the token; the function's own role otherwise. */
  readonly roleArn?: string;
  /** Both or neither: with both, no EKS call is made. */
  readonly endpoint?: string;
  readonly certificateAuthorityData?: string;
  /** Trigger mode: ESO's objects of this cluster are nudged when a source that they read changes. */
  readonly externalSecrets?: ExternalSecretsRule;
};

/** Which of ESO's objects are nudged, and how long a refresh may take. */
export type ExternalSecretsRule = {
  readonly namespaces: "all" | readonly string[];
  readonly deadlineSeconds: number;
};

/** How the keys of the Secret are made from the source's value. */
export type KeyRule =
  /** Every key of the source's JSON object, under its own name. */
  | { readonly kind: "all" }
  /** Secret key -> key of the source's JSON object. */
  | { readonly kind: "selected"; readonly keys: Readonly<Record<string, string>> }
  /** The whole value, text or binary, under one key. */
  | { readonly kind: "value"; readonly key: string; readonly decode?: Encoding }
  /** Secret key -> how its text is made, when one of them is more than a key of the source. */
  | { readonly kind: "composed"; readonly keys: Readonly<Record<string, KeySource>> }
  /** The keys of the source's JSON object that the patterns name. */
  | {
      readonly kind: "extracted";
      readonly include: readonly string[];
      readonly exclude: readonly string[];
      readonly rename: readonly KeyRename[];
    };

export type KeySource = (
  | { readonly key: string }
  | { readonly jmespath: string }
  | { readonly template: string }
) & { readonly decode?: Encoding };

export type Encoding = "base64" | "base64url";

/** In both, `*` stands for any text. */
export type KeyRename = { readonly pattern: string; readonly to: string };

export type DeletionPolicy = "retain" | "delete";

export type WorkloadKind = "Deployment" | "StatefulSet" | "DaemonSet" | "Rollout";

/** A workload in the namespace of the target. */
export type WorkloadRef = { readonly kind: WorkloadKind; readonly name: string };

/** Which workloads are restarted when the data of the target changes, and how. */
export type RestartRule = {
  /** `auto`: those whose pods use the Secret. */
  readonly workloads: "auto" | readonly WorkloadRef[];
  readonly delaySeconds: number;
  readonly order: "together" | "sequence";
  readonly minimumIntervalSeconds: number;
};

/** A source of a binding, and what is made of its value. */
export type BoundSource = SourceAt & { readonly keys: KeyRule };

/** One target and its sources, of which most have one. A binding of bindings.yaml with three targets is compiled into three. */
export type Binding = {
  /** Merged in this order. */
  readonly sources: readonly [BoundSource, ...BoundSource[]];
  /** The later source wins a key that two of them make; without it nobody does, and the target is refused. */
  readonly collisions?: "last";
  readonly target: TargetRef;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Take over what the relay never owned: a Secret or fields of another manager; never a controller's or another relay's. */
  readonly adopt: boolean;
  /** What a sweep does with the target once its binding or its source is gone. */
  readonly deletionPolicy: DeletionPolicy;
  /** Only our keys are ours, in a Secret that others write too; without it the Secret is ours as a whole. */
  readonly ownership?: "keys";
  /** Keys that others put into a Secret which the relay owns as a whole go at the next write; without it they stay. */
  readonly foreignKeys?: "remove";
  /** The Secret is made immutable; when its data must change it is left alone, or deleted and created anew. */
  readonly immutable?: "refuse" | "replace";
  /** Digest of the rules above, never of a value: shows that the rules changed since the last apply. */
  readonly fingerprint: string;
  /** Whoever is let in by the webhook may name the source so. */
  readonly webhookId?: string;
  readonly restart?: RestartRule;
  /** Tell the Pods that mount the Secret to look at it at once. */
  readonly nudge?: true;
  /** Post Kubernetes Events about the Secret. */
  readonly events?: true;
};

/** bindings.yaml as the functions read it: made by the build, plain JSON. */
export type CompiledBindings = {
  readonly version: 1;
  /** The name of the relay that these bindings are for. */
  readonly relay: string;
  readonly clusters: Readonly<Record<string, ClusterConfig>>;
  readonly bindings: readonly Binding[];
};
