/** A stored value; binary stays in base64, as sent. */
export type StoredValue =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "binary"; readonly base64: string };

export type Version = {
  readonly id: string;
  readonly value: StoredValue;
  readonly createdAt: number;
  readonly labels: readonly string[];
};

export type Versions = ReadonlyMap<string, Version>;

export type Tag = { readonly Key: string; readonly Value: string };

/** The mutable state of a secret. A state is immutable: a change creates the next one. */
export type SecretState = {
  readonly at: number;
  readonly description?: string | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly tags: readonly Tag[];
  readonly versions: Versions;
  /** The end of its recovery window; absent when it isn't scheduled for deletion. */
  readonly deletionAt?: number | undefined;
};

export class Secret {
  readonly sequence: number;
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly owningService: string | undefined;
  /** The day of the last read of a value: AWS keeps no finer time. */
  lastAccessedAt: number | undefined;
  /** When it was permanently deleted. */
  goneAt: number | undefined;
  #history: SecretState[];

  constructor(fixed: {
    sequence: number;
    name: string;
    arn: string;
    owningService: string | undefined;
    state: SecretState;
  }) {
    this.sequence = fixed.sequence;
    this.name = fixed.name;
    this.arn = fixed.arn;
    this.createdAt = fixed.state.at;
    this.owningService = fixed.owningService;
    this.#history = [fixed.state];
  }

  get state(): SecretState {
    return this.#history[this.#history.length - 1] as SecretState;
  }

  change(at: number, changes: Partial<Omit<SecretState, "at">>): void {
    this.#history.push({ ...this.state, ...changes, at });
    if (this.#history.length > HISTORY_MAX) this.#history.shift();
  }

  /** The state at an instant; undefined if it did not exist then. */
  stateAt(at: number): SecretState | undefined {
    if (this.goneAt !== undefined && this.goneAt <= at) return undefined;
    if (this.createdAt > at) return undefined;
    return this.#history.findLast((state) => state.at <= at) ?? this.#history[0];
  }

  /** The state before the last change of labels or values; undefined without one. */
  stateBeforeLastVersionChange(): SecretState | undefined {
    const { versions } = this.state;
    return this.#history.findLast((state) => state.versions !== versions);
  }
}

/** States kept for stale responses; a few suffice, since staleness is minutes and changes are rare. */
const HISTORY_MAX = 64;

export function findLabelled(versions: Versions, label: string): Version | undefined {
  for (const version of versions.values()) {
    if (version.labels.includes(label)) return version;
  }
  return undefined;
}

/** VersionIdsToStages, which omits versions without labels; undefined if empty. */
export function labelsByVersion(versions: Versions): Record<string, readonly string[]> | undefined {
  const labelled = [...versions.values()].filter(({ labels }) => labels.length > 0);
  if (labelled.length === 0) return undefined;
  return Object.fromEntries(labelled.map(({ id, labels }) => [id, labels]));
}

export function isSameValue(a: StoredValue, b: StoredValue): boolean {
  if (a.kind === "text") return b.kind === "text" && a.text === b.text;
  return b.kind === "binary" && a.base64 === b.base64;
}

/** Dates are sent as seconds with a fraction. */
export const seconds = (at: number): number => at / 1_000;
