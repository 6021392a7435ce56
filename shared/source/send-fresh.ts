import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { classifySourceError, isExpiredCredentials } from "./classify-error.ts";
import { SourceCredentialsExpired } from "./errors.ts";

/**
 * Sends a call; when its credentials have expired, renews them and sends it once more. Whatever fails is thrown as one
 * of our errors, under the name that the caller gives: a source, or a word for many.
 */
export async function sendFresh<T>(
  client: SecretsManagerClient,
  what: string,
  send: () => Promise<T>,
): Promise<T> {
  try {
    return await send().catch(async (error: unknown) => {
      if (!isExpiredCredentials(error)) throw error;
      await client.config.credentials({ forceRefresh: true });
      return send();
    });
  } catch (error) {
    throw isExpiredCredentials(error) ? new SourceCredentialsExpired(what) : classifySourceError(what, error);
  }
}
