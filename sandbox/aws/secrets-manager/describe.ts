import { count, flag, type Operation, requiredText, text } from "../call.ts";
import type { SecretsManagerContext } from "./context.ts";
import { parseFilters } from "./filters.ts";
import { listPage } from "./pages.ts";
import { readState } from "./read-values.ts";
import { labelsByVersion, type Secret, type SecretState, seconds } from "./secret.ts";

export function describeSecret(context: SecretsManagerContext): Operation {
  return (call) => {
    const secret = context.store.get(requiredText(call.input, "SecretId"));
    const state = readState(context, call, secret);
    return { ...metadata(secret, state), VersionIdsToStages: labelsByVersion(state.versions) };
  };
}

const LIST_MAX = 100;

export function listSecrets(context: SecretsManagerContext): Operation {
  return ({ input }) => {
    const page = listPage(context, {
      token: text(input, "NextToken"),
      pageMax: count(input, "MaxResults", 1, LIST_MAX) ?? LIST_MAX,
      filters: parseFilters(input),
      includeDeleted: flag(input, "IncludePlannedDeletion"),
      descending: text(input, "SortOrder") === "desc",
    });
    const SecretList = page.entries.map(({ secret, state }) => ({
      ...metadata(secret, state),
      SecretVersionsToStages: labelsByVersion(state.versions),
    }));
    return { SecretList, ...page.next };
  };
}

/** A secret has at most a hundred versions, so they always fit one page. */
export function listSecretVersionIds({ store }: SecretsManagerContext): Operation {
  return ({ input }) => {
    const secret = store.get(requiredText(input, "SecretId"));
    const includeDeprecated = flag(input, "IncludeDeprecated");
    const versions = [...secret.state.versions.values()].filter(
      ({ labels }) => includeDeprecated || labels.length > 0,
    );
    return {
      ARN: secret.arn,
      Name: secret.name,
      Versions: versions.map(({ id, labels, createdAt }) => ({
        VersionId: id,
        ...(labels.length > 0 && { VersionStages: labels }),
        CreatedDate: seconds(createdAt),
      })),
    };
  };
}

/** JSON drops absent members. */
function metadata(secret: Secret, state: SecretState): object {
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: state.description,
    KmsKeyId: state.kmsKeyId,
    CreatedDate: seconds(secret.createdAt),
    LastChangedDate: seconds(state.at),
    LastAccessedDate: secret.lastAccessedAt === undefined ? undefined : seconds(secret.lastAccessedAt),
    DeletedDate: state.deletionAt === undefined ? undefined : seconds(state.deletionAt),
    Tags: state.tags,
    OwningService: secret.owningService,
  };
}
