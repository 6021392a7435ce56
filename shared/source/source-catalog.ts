import { DescribeSecretCommand, ListSecretsCommand } from "@aws-sdk/client-secrets-manager";
import { RelayError } from "../relay-error.ts";
import type { SourceAt } from "../secret-id/secret-id.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { SourceNotFound, SourceUnavailable } from "./errors.ts";
import { isAnswerAbout } from "./is-answer-about.ts";
import type { ClientFor } from "./secrets-manager-clients.ts";
import { sendFresh } from "./send-fresh.ts";
import { type SecretDescription, type SourceState, sourceStateOf } from "./source-state.ts";

/** A page of ListSecrets. It may be five minutes old (AWS says so), so what it says needs confirming before acting. */
export type CatalogPage = { readonly secrets: readonly SecretDescription[]; readonly nextToken?: string };

/** What Secrets Manager tells about sources without giving a value. */
export type SourceCatalog = {
  /** One DescribeSecret. Never throws an error of ours: not being able to look is a state too. */
  describe(source: SourceAt, budget: TimeBudget): Promise<SourceState>;
  /** One page of the function's own account and Region; `namePrefixes` narrows it, ten at most. */
  listPage(
    query: { readonly namePrefixes: readonly string[]; readonly nextToken?: string },
    budget: TimeBudget,
  ): Promise<CatalogPage>;
};

export function sourceCatalog(clientFor: ClientFor): SourceCatalog {
  return {
    describe: async (source, budget) => {
      const client = clientFor(source.home?.region);
      const command = new DescribeSecretCommand({ SecretId: source.id });
      try {
        const answer = await sendFresh(client, source.id, () =>
          client.send(command, { abortSignal: budget.signal }),
        );
        if (!isAnswerAbout(source, answer.ARN)) {
          throw new SourceUnavailable(source.id, "HTTP 200 without that secret"); // least of all is it absent
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
      const answer = await sendFresh(client, "the list of secrets", () =>
        client.send(command, { abortSignal: budget.signal }),
      );
      const { NextToken: next } = answer;
      return { secrets: answer.SecretList ?? [], ...(next !== undefined && { nextToken: next }) };
    },
  };
}

const PAGE_SIZE_MAX = 100;
