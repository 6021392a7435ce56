import pMap from "p-map";
import type { AwsSession } from "../live/aws-session.ts";
import { convertManifests, type ImportOptions } from "./convert-manifests.ts";
import { answersIn, type FindAnswer, type FindAnswers, type FindQuery, keyOfQuery } from "./find-query.ts";
import type { Manifest } from "./manifest.ts";

/** The questions of all `find` in the manifests, each once. */
export function findQueriesIn(manifests: readonly Manifest[], options: ImportOptions): FindQuery[] {
  const queries = new Map<string, FindQuery>();
  const found: FindAnswers = (query) => {
    queries.set(keyOfQuery(query), query);
    return undefined;
  };
  convertManifests(manifests, { ...options, found });
  return [...queries.values()];
}

/** Asks AWS with the rights of the caller. It reads no value. */
export async function askFinds(queries: readonly FindQuery[], aws: AwsSession): Promise<FindAnswers> {
  const answers = await pMap(
    queries,
    async (query): Promise<[string, FindAnswer]> => [keyOfQuery(query), await ask(query, aws)],
    { concurrency: 4 },
  );
  return answersIn(new Map(answers));
}

async function ask({ region, accountId, filters }: FindQuery, aws: AwsSession): Promise<FindAnswer> {
  if (accountId !== undefined && accountId !== aws.location.accountId) {
    return `the store reads in account ${accountId}, and your credentials are of account ${aws.location.accountId}. Run the command with credentials of account ${accountId}`;
  }
  const { listSecrets } = await import("../../shared/source/secrets-manager/list-secrets.ts");
  return listSecrets({ ...aws.client, region: region ?? aws.region }, filters).catch((error: unknown) => {
    throw aws.classify("Listing secrets with secretsmanager:ListSecrets for --expand-find", error);
  });
}
