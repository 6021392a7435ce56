import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { HttpHandlerOptions, HttpRequest } from "@smithy/types";
import type { TimeBudget } from "../../runtime/time-budget.ts";

/**
 * Prepares a client for its first call. It resolves credentials and endpoint and signs a call, but instead of sending it
 * opens the connection with an unsigned GET. So it needs no permission and names no secret. A failed connection is
 * ignored; other errors are thrown.
 */
export async function warmClient(client: SecretsManagerClient, { signal }: TimeBudget): Promise<void> {
  const command = new GetSecretValueCommand({ SecretId: "none" });
  command.middlewareStack.add(
    () => async (signed) => {
      await openConnection(client, signed.request as HttpRequest, signal).catch(() => {}); // otherwise the SDK would retry
      return { response: {}, output: { $metadata: {} } };
    },
    { step: "finalizeRequest", priority: "low", name: "sendNothing" }, // after signing
  );
  await client.send(command, { abortSignal: signal });
}

async function openConnection(
  { config }: SecretsManagerClient,
  { protocol, hostname, port }: HttpRequest,
  abortSignal: AbortSignal,
): Promise<void> {
  const to = { protocol, hostname, ...(port !== undefined && { port }) };
  const request = { ...to, method: "GET", path: "/", query: {}, headers: { host: hostname } };
  const handler = config.requestHandler as Handler;
  const { response } = await handler.handle(request, { abortSignal });
  await config.streamCollector(response.body); // a connection is reused only after its response is read
}

type Handler = {
  handle(
    request: Omit<HttpRequest, "body">,
    options: HttpHandlerOptions,
  ): Promise<{ response: { body?: unknown } }>;
};
