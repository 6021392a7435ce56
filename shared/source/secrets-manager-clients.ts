import type { SecretsManagerClient, SecretsManagerClientConfig } from "@aws-sdk/client-secrets-manager";
import { boundedRequests } from "../aws-client/bounded-requests.ts";
import { isThrottle } from "./classify-error.ts";

/** The client of a Region; without one, of the Region that the function runs in. */
export type ClientFor = (region: string | undefined) => SecretsManagerClient;

export type CallListeners = {
  /** Of each request, the SDK's own retries included. */
  readonly onCall?: () => void;
  readonly onThrottled?: () => void;
};

/** One client per Region, kept with its connections; without a Region, that of the function. */
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
    { step: "deserialize", name: "countCalls", priority: "high" }, // within the retries
  );
}

const ATTEMPTS_MAX = 4;
