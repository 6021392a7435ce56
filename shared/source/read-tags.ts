import { DescribeSecretCommand } from "@aws-sdk/client-secrets-manager";
import type { SecretReference } from "../secret-id/secret-id.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import type { ClientFor } from "./secrets-manager-clients.ts";
import { sendFresh } from "./send-fresh.ts";

/** The tags of a source, by one DescribeSecret, which gives no value. */
export const readTagsWith =
  (clientFor: ClientFor) =>
  async (source: SecretReference, budget: TimeBudget): Promise<Readonly<Record<string, string>>> => {
    const client = clientFor(source.home?.region);
    const command = new DescribeSecretCommand({ SecretId: source.id });
    const { Tags: tags = [] } = await sendFresh(client, source.id, () =>
      client.send(command, { abortSignal: budget.signal }),
    );
    return Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
  };
