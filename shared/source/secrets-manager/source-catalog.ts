import { DescribeSecretCommand, ListSecretsCommand } from "@aws-sdk/client-secrets-manager";
import { RelayError } from "../../relay-error.ts";
import type { TimeBudget } from "../../runtime/time-budget.ts";
import { SourceNotFound, SourceUnavailable } from "../errors.ts";
import type { SourceAt } from "../secret-id.ts";
import { type SecretDescription, type SourceState, sourceStateOf } from "../source-state.ts";
import type { ClientFor } from "./clients.ts";
import { isAnswerAbout } from "./is-answer-about.ts";
import { sendWithCredentialRefresh } from "./send-with-credential-refresh.ts";

/** A page of ListSecrets. According to AWS it may be five minutes old, so confirm it before acting. */
export type CatalogPage = { readonly secrets: readonly SecretDescription[]; readonly nextToken?: string };

/** Reads information about sources without their values. */
export type SourceCatalog = {
  /** One DescribeSecret. Returns our own errors as the state `unknown`. */
  describe(source: SourceAt, budget: TimeBudget): Promise<SourceState>;
  /** One page of the function's own account and Region, filtered by at most ten `namePrefixes`. */
  listPage(
    query: { readonly namePrefixes: readonly string[]; readonly nextToken?: string },
    budget: TimeBudget,
  ): Promise<CatalogPage>;
};

export function sourceCatalog(clientFor: ClientFor): SourceCatalog {
  return {
    describe: async (source, budget) => {
      const client = clientFor(source.location?.region);
      const command = new DescribeSecretCommand({ SecretId: source.id });
      try {
        const answer = await sendWithCredentialRefresh(client, source.id, () =>
          client.send(command, { abortSignal: budget.signal }),
        );
        if (!isAnswerAbout(source, answer.ARN)) {
          throw new SourceUnavailable(source.id, "HTTP 200 without that secret"); // not proof of absence
        }
        return sourceStateOf({ ...answer, SecretVersionsToStages: answer.VersionIdsToStages }, source);
      } catch (error) {
        if (error instanceof SourceNotFound) return { kind: "missing" };
        if (!(error instanceof RelayError)) throw error;
        return { kind: "unknown", code: error.code, advice: error.message, retryable: error.retryable };
      }
    },
    listPage: async ({ namePrefixes, nextToken }, budget) => {
      const client = clientFor(undefined);
      const command = new ListSecretsCommand({
        MaxResults: PAGE_SIZE_MAX,
        IncludePlannedDeletion: true,
        ...(namePrefixes.length > 0 && { Filters: [{ Key: "name", Values: [...namePrefixes] }] }),
        ...(nextToken !== undefined && { NextToken: nextToken }),
      });
      const answer = await sendWithCredentialRefresh(client, "the list of secrets", () =>
        client.send(command, { abortSignal: budget.signal }),
      );
      const { NextToken: next } = answer;
      return { secrets: answer.SecretList ?? [], ...(next !== undefined && { nextToken: next }) };
    },
  };
}

const PAGE_SIZE_MAX = 100;
