import { AwsError, invalidParameter, invalidRequest, resourceNotFound } from "../aws-error.ts";
import { type Call, count, list, type Operation, requiredText, text } from "../call.ts";
import type { SecretsManagerContext } from "./context.ts";
import { type Filter, parseFilters } from "./filters.ts";
import { listPage } from "./pages.ts";
import { findLabelled, type Secret, type SecretState, seconds, type Version } from "./secret.ts";
import { markedForDeletion } from "./secret-store.ts";

export function getSecretValue(context: SecretsManagerContext): Operation {
  return (call) => {
    const secret = context.store.get(requiredText(call.input, "SecretId"));
    return valueEntry(context, secret, chooseVersion(readState(context, call, secret), call));
  };
}

export function batchGetSecretValue(context: SecretsManagerContext): Operation {
  return (call) => {
    const ids = list<string>(call.input, "SecretIdList");
    const filters = parseFilters(call.input);
    if ((ids === undefined) === (filters.length === 0)) {
      throw invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.");
    }
    if (ids !== undefined) return readByIds(context, call, ids);
    return readByFilters(context, call, filters);
  };
}

/** The state that a read returns: the present one, unless a fault makes it stale. */
export function readState(context: SecretsManagerContext, call: Call, secret: Secret): SecretState {
  if (!context.faults.isStale(call, secret.name)) return secret.state;
  const stale = secret.stateBeforeLastVersionChange();
  if (stale === undefined) throw resourceNotFound("Secrets Manager can't find the specified secret.");
  return stale;
}

const BATCH_MAX = 20;

function readByIds(context: SecretsManagerContext, call: Call, ids: readonly string[]): object {
  if (call.input.MaxResults !== undefined) {
    throw invalidParameter(
      "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
    );
  }
  if (ids.length < 1 || ids.length > BATCH_MAX) {
    throw new AwsError(
      "ValidationException",
      `1 validation error detected: Value at 'secretIdList' failed to satisfy constraint: Member must have length less than or equal to ${BATCH_MAX}`,
    );
  }
  return readEach(context, call, ids);
}

function readByFilters(context: SecretsManagerContext, call: Call, filters: readonly Filter[]): object {
  const pageMax = count(call.input, "MaxResults", 1, BATCH_MAX) ?? BATCH_MAX;
  const page = listPage(context, {
    token: text(call.input, "NextToken"),
    pageMax,
    filters,
    includeDeleted: false,
  });
  const names = page.entries.map(({ secret }) => secret.name);
  return { ...readEach(context, call, names), ...page.next };
}

/** A failure of one secret becomes an entry in Errors and does not affect the others. */
function readEach(context: SecretsManagerContext, call: Call, ids: readonly string[]): object {
  const SecretValues: object[] = [];
  const Errors: object[] = [];
  for (const id of ids) {
    try {
      const secret = context.store.get(id);
      const refusal = context.faults.refuseItem(call, secret.name);
      if (refusal !== undefined) throw refusal;
      const version = chooseVersion(readState(context, call, secret), { ...call, input: {} });
      SecretValues.push(valueEntry(context, secret, version));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Errors.push({ SecretId: id, ErrorCode: error.code, Message: error.message });
    }
  }
  return { SecretValues, Errors };
}

function chooseVersion(state: SecretState, { input }: Call): Version {
  if (state.deletionAt !== undefined) throw markedForDeletion();
  const versionId = text(input, "VersionId");
  const label = text(input, "VersionStage");
  if (versionId === undefined) {
    const labelled = findLabelled(state.versions, label ?? "AWSCURRENT");
    if (labelled !== undefined) return labelled;
    throw resourceNotFound(
      `Secrets Manager can't find the specified secret value for staging label: ${label ?? "AWSCURRENT"}`,
    );
  }
  const version = state.versions.get(versionId);
  if (version === undefined) {
    throw resourceNotFound(
      `Secrets Manager can't find the specified secret value for VersionId: ${versionId}`,
    );
  }
  if (label !== undefined && !version.labels.includes(label)) {
    throw invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.");
  }
  return version;
}

const DAY_MS = 24 * 60 * 60_000;

function valueEntry(context: SecretsManagerContext, secret: Secret, version: Version): object {
  const now = context.now();
  secret.lastAccessedAt = now - (now % DAY_MS);
  context.counters.countValue();
  const { value } = version;
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    VersionStages: version.labels,
    CreatedDate: seconds(version.createdAt),
    ...(value.kind === "text" ? { SecretString: value.text } : { SecretBinary: value.base64 }),
  };
}
