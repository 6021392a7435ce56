import { DescribeSecretCommand } from "@aws-sdk/client-secrets-manager";
import type { TimeBudget } from "../../runtime/time-budget.ts";
import type { SecretReference } from "../secret-id.ts";
import type { ClientFor } from "./clients.ts";
import { sendWithCredentialRefresh } from "./send-with-credential-refresh.ts";

/** The tags of a source, by one DescribeSecret, which returns no value. */
export const readTagsWith =
  (clientFor: ClientFor) =>
  async (source: SecretReference, budget: TimeBudget): Promise<Readonly<Record<string, string>>> => {
    const client = clientFor(source.location?.region);
    const command = new DescribeSecretCommand({ SecretId: source.id });
    const { Tags: tags = [] } = await sendWithCredentialRefresh(client, source.id, () =>
      client.send(command, { abortSignal: budget.signal }),
    );
    return Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
  };
