import {
  AwsError,
  invalidParameter,
  invalidRequest,
  resourceExists,
  resourceNotFound,
} from "../aws-error.ts";
import { list, type Operation, requiredText, text } from "../call.ts";
import type { SecretsManagerContext } from "./context.ts";
import { LABELS_MAX, parseLabels, parseName, parseToken, parseValue } from "./parse-version.ts";
import {
  findLabelled,
  isSameValue,
  type Secret,
  type StoredValue,
  type Tag,
  type Versions,
} from "./secret.ts";
import { type LabelMove, moveLabels, removeLabel } from "./staging-labels.ts";
import { withTags } from "./tags.ts";

export function createSecret(context: SecretsManagerContext): Operation {
  return (call) => {
    const { input } = call;
    const name = parseName(requiredText(input, "Name"));
    const value = parseValue(input);
    const token = parseToken(input, value !== undefined);
    const existing = context.store.find(name);
    if (existing !== undefined) return createdAlready(existing, token, value);

    const at = context.now();
    const first = value && { id: token, value, createdAt: at, labels: ["AWSCURRENT"] };
    const secret = context.store.create(name, {
      at,
      description: text(input, "Description"),
      kmsKeyId: text(input, "KmsKeyId"),
      tags: withTags([], list<Tag>(input, "Tags") ?? []),
      versions: new Map(first && [[token, first]]),
    });
    if (first === undefined) return { ARN: secret.arn, Name: name };
    if (context.options.labelEventOnCreate)
      announce(context, secret, [{ label: "AWSCURRENT", versionId: token }]);
    return { ARN: secret.arn, Name: name, VersionId: token };
  };
}

export function putSecretValue(context: SecretsManagerContext): Operation {
  return (call) => {
    const { input } = call;
    const secret = context.store.getLiving(requiredText(input, "SecretId"));
    const value = parseValue(input);
    if (value === undefined) throw invalidRequest("You must provide either SecretString or SecretBinary.");
    const token = parseToken(input, true);
    const labels = parseLabels(list<string>(input, "VersionStages"));
    const existing = secret.state.versions.get(token);
    if (existing !== undefined) {
      if (!isSameValue(existing.value, value)) throw tokenInUse(token, secret);
      return { ARN: secret.arn, Name: secret.name, VersionId: token, VersionStages: existing.labels };
    }
    addVersion(context, secret, { token, value, labels });
    const added = secret.state.versions.get(token);
    return { ARN: secret.arn, Name: secret.name, VersionId: token, VersionStages: added?.labels };
  };
}

export function updateSecret(context: SecretsManagerContext): Operation {
  return (call) => {
    const { input } = call;
    const secret = context.store.getLiving(requiredText(input, "SecretId"));
    const value = parseValue(input);
    const token = parseToken(input, value !== undefined);
    if (value !== undefined && secret.state.versions.has(token)) throw tokenInUse(token, secret);
    const description = text(input, "Description");
    const kmsKeyId = text(input, "KmsKeyId");
    if (value !== undefined) addVersion(context, secret, { token, value, labels: ["AWSCURRENT"] });
    secret.change(context.now(), {
      ...(description !== undefined && { description }),
      ...(kmsKeyId !== undefined && { kmsKeyId: kmsKeyId === "" ? undefined : kmsKeyId }),
    });
    return { ARN: secret.arn, Name: secret.name, ...(value !== undefined && { VersionId: token }) };
  };
}

export function updateSecretVersionStage(context: SecretsManagerContext): Operation {
  return (call) => {
    const { input } = call;
    const secret = context.store.getLiving(requiredText(input, "SecretId"));
    const label = requiredText(input, "VersionStage");
    const from = text(input, "RemoveFromVersionId");
    const to = text(input, "MoveToVersionId");
    const { versions } = secret.state;
    for (const id of [from, to]) {
      if (id !== undefined && !versions.has(id)) {
        throw resourceNotFound(`Secrets Manager can't find the specified secret version: ${id}.`);
      }
    }
    checkHolder(findLabelled(versions, label)?.id, label, from, to);
    if (to !== undefined) relabel(context, secret, moveLabels(versions, [label], to));
    else if (from !== undefined)
      secret.change(context.now(), { versions: removeLabel(versions, label, from) });
    else throw invalidParameter("You must provide MoveToVersionId, RemoveFromVersionId or both.");
    return { ARN: secret.arn, Name: secret.name };
  };
}

/** Every change of labels passes here, so that each sends its event. */
function relabel(
  context: SecretsManagerContext,
  secret: Secret,
  { versions, moves }: { versions: Versions; moves: readonly LabelMove[] },
): void {
  secret.change(context.now(), { versions });
  announce(context, secret, moves);
}

function announce(context: SecretsManagerContext, secret: Secret, moves: readonly LabelMove[]): void {
  for (const { label, versionId } of moves) {
    if (label === "AWSPENDING" || label === "AWSPREVIOUS") continue;
    context.events.labelMoved({ name: secret.name, arn: secret.arn, label, versionId });
  }
}

const VERSIONS_MAX = 100;
const DAY_MS = 24 * 60 * 60_000;

function addVersion(
  context: SecretsManagerContext,
  secret: Secret,
  { token, value, labels }: { token: string; value: StoredValue; labels: readonly string[] },
): void {
  const versions = new Map(secret.state.versions);
  // The first version becomes current regardless of the requested labels.
  const wanted = versions.size === 0 ? [...new Set([...labels, "AWSCURRENT"])] : labels;
  makeRoom(context, versions);
  versions.set(token, { id: token, value, createdAt: context.now(), labels: [] });
  const relabelled = moveLabels(versions, wanted, token);
  const labelCount = [...relabelled.versions.values()].reduce(
    (sum, version) => sum + version.labels.length,
    0,
  );
  if (labelCount > LABELS_MAX) {
    throw new AwsError("LimitExceededException", "You've exceeded the quota for staging labels of a secret.");
  }
  relabel(context, secret, relabelled);
}

/** Versions are kept in order of creation, so the first without a label is the oldest. */
function makeRoom(
  context: SecretsManagerContext,
  versions: Map<string, { labels: readonly string[]; createdAt: number }>,
): void {
  const outdatedAt = context.options.strictVersionQuota ? context.now() - DAY_MS : Number.POSITIVE_INFINITY;
  for (const [id, { labels, createdAt }] of versions) {
    if (versions.size < VERSIONS_MAX) return;
    if (labels.length === 0 && createdAt < outdatedAt) versions.delete(id);
  }
  if (versions.size < VERSIONS_MAX) return;
  throw new AwsError("LimitExceededException", "You've exceeded the quota for versions of a secret.");
}

function checkHolder(
  holder: string | undefined,
  label: string,
  from: string | undefined,
  to: string | undefined,
): void {
  if (label === "AWSCURRENT" && to === undefined) {
    throw invalidParameter(
      "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.",
    );
  }
  if (from !== undefined && holder !== from) {
    throw invalidParameter(`Staging label ${label} is not attached to version ${from}.`);
  }
  if (from === undefined && holder !== undefined && holder !== to) {
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
}

function createdAlready(existing: Secret, token: string, value: StoredValue | undefined): object {
  if (existing.state.deletionAt !== undefined) {
    throw invalidRequest(
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  }
  const version = existing.state.versions.get(token);
  if (version === undefined || value === undefined) {
    throw resourceExists(`The operation failed because the secret ${existing.name} already exists.`);
  }
  if (!isSameValue(version.value, value)) throw tokenInUse(token, existing);
  return { ARN: existing.arn, Name: existing.name, VersionId: token };
}

function tokenInUse(token: string, secret: Secret): AwsError {
  return resourceExists(
    `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${secret.arn}.`,
  );
}
