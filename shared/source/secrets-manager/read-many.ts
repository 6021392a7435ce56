import { BatchGetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { RelayError } from "../../relay-error.ts";
import type { TimeBudget } from "../../runtime/time-budget.ts";
import { SourceUnavailable } from "../errors.ts";
import { keyOfSource } from "../key-of-source.ts";
import type { SourceAt } from "../secret-id.ts";
import type { ReadCurrent, ReadMany, SourceRead } from "../source.ts";
import { classifySourceError } from "./classify-error.ts";
import type { ClientFor } from "./clients.ts";
import { readAnswer, readCurrentWith } from "./read-current.ts";
import { sendWithCredentialRefresh } from "./send-with-credential-refresh.ts";

/** BatchGetSecretValue takes at most 20 sources and reads only AWSCURRENT. Other versions are read one by one. */
export function readManyWith(clientFor: ClientFor): ReadMany {
  const readOne = readCurrentWith(clientFor);
  return async (sources, budget) => {
    const reads = new Map<string, SourceRead>();
    const isCurrent = ({ stage, versionId }: SourceAt) => stage === undefined && versionId === undefined;
    for (const source of sources) {
      if (!isCurrent(source)) reads.set(keyOfSource(source), await readOrError(readOne, source, budget));
    }
    const current = sources.filter(isCurrent);
    for (const [region, group] of Map.groupBy(current, ({ location }) => location?.region)) {
      for (let start = 0; start < group.length; start += BATCH_SIZE_MAX) {
        const batch = group.slice(start, start + BATCH_SIZE_MAX);
        for (const [id, read] of await readBatch(clientFor(region), batch, budget)) reads.set(id, read);
      }
    }
    return reads;
  };
}

const BATCH_SIZE_MAX = 20;

/** With one value per page there would be twenty pages, so more than a hundred means an endless loop. */
const PAGES_MAX = 100;

async function readOrError(read: ReadCurrent, source: SourceAt, budget: TimeBudget): Promise<SourceRead> {
  try {
    return await read(source, budget);
  } catch (error) {
    if (error instanceof RelayError) return error;
    throw error;
  }
}

async function readBatch(
  client: SecretsManagerClient,
  batch: readonly SourceAt[],
  budget: TimeBudget,
): Promise<Map<string, SourceRead>> {
  const reads = new Map<string, SourceRead>();
  let pages = 0;
  let nextToken: string | undefined;
  try {
    do {
      const command = new BatchGetSecretValueCommand({
        SecretIdList: batch.map(({ id }) => id),
        ...(nextToken !== undefined && { NextToken: nextToken }),
      });
      const answer = await sendWithCredentialRefresh(client, "a batch of secrets", () =>
        client.send(command, { abortSignal: budget.signal }),
      );
      for (const item of answer.SecretValues ?? []) {
        // The response always names secrets by ARN.
        for (const source of batch) {
          const read = readAnswer(source, item);
          if (read !== undefined) reads.set(source.id, read);
        }
      }
      for (const { SecretId: id = "", ErrorCode: errorCode = "", Message: message } of answer.Errors ?? []) {
        if (!batch.some((source) => source.id === id)) continue;
        reads.set(
          id,
          classifySourceError(id, { name: errorCode, message, $metadata: { httpStatusCode: 400 } }),
        );
      }
      nextToken = answer.NextToken; // a page may be empty
      pages += 1;
    } while (nextToken !== undefined && pages < PAGES_MAX);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    for (const { id } of batch) if (!reads.has(id)) reads.set(id, error);
  }
  for (const { id } of batch) {
    if (!reads.has(id)) reads.set(id, new SourceUnavailable(id, "left out of a batch"));
  }
  return reads;
}
