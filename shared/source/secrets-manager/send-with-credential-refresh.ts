import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SourceCredentialsExpired } from "../errors.ts";
import { classifySourceError, isExpiredCredentials } from "./classify-error.ts";

/** Sends a call, and again after renewing expired credentials. Throws our own errors, which name the `subject`. */
export async function sendWithCredentialRefresh<T>(
  client: SecretsManagerClient,
  subject: string,
  send: () => Promise<T>,
): Promise<T> {
  try {
    return await send().catch(async (error: unknown) => {
      if (!isExpiredCredentials(error)) throw error;
      await client.config.credentials({ forceRefresh: true });
      return send();
    });
  } catch (error) {
    throw isExpiredCredentials(error)
      ? new SourceCredentialsExpired(subject)
      : classifySourceError(subject, error);
  }
}
