import type { SecretsManagerClient, SecretsManagerClientConfig } from "@aws-sdk/client-secrets-manager";
import { boundedRequests } from "../../runtime/bounded-requests.ts";
import { Sha256 } from "../../runtime/sha256.ts";
import { isThrottle } from "./classify-error.ts";

/** The client of a Region; undefined means the function's own Region. */
export type ClientFor = (region: string | undefined) => SecretsManagerClient;

export type CallListeners = {
  /** Called for each request, including the SDK's own retries. */
  readonly onCall?: () => void;
  readonly onThrottled?: () => void;
};

/** Caches one client per Region with its connections. */
export function secretsManagerClients(
  create: (config: SecretsManagerClientConfig) => SecretsManagerClient,
  listeners: CallListeners = {},
): ClientFor {
  const clients = new Map<string, SecretsManagerClient>();
  return (region) => {
    const key = region ?? "";
    const known = clients.get(key);
    if (known !== undefined) return known;
    const client = create({
      ...(region !== undefined && { region }),
      maxAttempts: ATTEMPTS_MAX,
      sha256: Sha256,
      ...boundedRequests(),
    });
    if (listeners.onCall !== undefined) listen(client, listeners);
    clients.set(key, client);
    return client;
  };
}

function listen(client: SecretsManagerClient, { onCall, onThrottled }: CallListeners): void {
  client.middlewareStack.add(
    (next) => async (request) => {
      onCall?.();
      try {
        return await next(request);
      } catch (error) {
        if (isThrottle(error)) onThrottled?.();
        throw error;
      }
    },
    { step: "deserialize", name: "countCalls", priority: "high" }, // counts each retry
  );
}

const ATTEMPTS_MAX = 4;
