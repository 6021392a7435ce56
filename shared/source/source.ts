import type { RelayError } from "../relay-error.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { AwsLocation, SecretReference, SourceAt, VersionId } from "./secret-id.ts";
import type { SecretValue } from "./secret-value.ts";
import type { SourceState } from "./source-state.ts";

/** A service that holds source values. AWS Secrets Manager is the only one; another service implements this type. */
export type Source = {
  readonly readCurrent: ReadCurrent;
  readonly readMany: ReadMany;
  /** Without the value. Returns the state `unknown` instead of throwing one of our errors. */
  readonly describe: (source: SourceAt, budget: TimeBudget) => Promise<SourceState>;
  readonly listStates: ListStates;
  readonly readTags: (
    source: SecretReference,
    budget: TimeBudget,
  ) => Promise<Readonly<Record<string, string>>>;
  /** Opens connections during init. Reads nothing. */
  readonly warmUp: (budget: TimeBudget) => Promise<void>;
};

/** What a rotation needs of a source. */
export type RotationSource = Pick<Source, "readCurrent" | "readTags" | "warmUp">;

/**
 * The value of a source as this read saw it: Secrets Manager is eventually consistent. A staging label may move
 * afterwards; the value of a pinned version does not change.
 */
export type CurrentSource = {
  /** The full ARN. */
  readonly arn: string;
  readonly versionId: VersionId;
  readonly value: SecretValue;
  /** A pinned version without a staging label: Secrets Manager may delete it at any time. */
  readonly isDeprecated?: true;
};

export type ReadCurrent = (source: SourceAt, budget: TimeBudget) => Promise<CurrentSource>;

/** The value, or the error of this source. An error never means that the source is absent. */
export type SourceRead = CurrentSource | RelayError;

/** The values of many sources, by their keys (keyOfSource). */
export type ReadMany = (
  sources: readonly SourceAt[],
  budget: TimeBudget,
) => Promise<ReadonlyMap<string, SourceRead>>;

/**
 * The states of many sources, by their keys, in few calls and without a value. They may be five minutes old, so confirm
 * one before you act on it. A source that was not listed is missing from the result: describe it.
 */
export type ListStates = (request: {
  readonly sources: readonly SourceAt[];
  /** The account and Region of the caller. Sources elsewhere cannot be listed. */
  readonly self: AwsLocation;
  readonly budget: TimeBudget;
}) => Promise<ReadonlyMap<string, SourceState>>;
