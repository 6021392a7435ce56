import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { HttpHandlerOptions, HttpRequest } from "@smithy/types";
import type { TimeBudget } from "../time-budget/time-budget.ts";

/**
 * Makes a client ready for its first call: credentials, endpoint and signature are gone through with a call that is not
 * sent, and the connection is opened by a bare GET without a signature in its place. So nothing is read, no right is
 * asked for, and no secret is named. A connection that fails is left at that; whatever else does is thrown.
 */
export async function warmClient(client: SecretsManagerClient, { signal }: TimeBudget): Promise<void> {
  const command = new GetSecretValueCommand({ SecretId: "none" });
  command.middlewareStack.add(
    () => async (signed) => {
      await openConnection(client, signed.request as HttpRequest, signal).catch(() => {}); // or the SDK would try again
      return { response: {}, output: { $metadata: {} } };
    },
    { step: "finalizeRequest", priority: "low", name: "sendNothing" }, // after what signs
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
  await config.streamCollector(response.body); // a connection whose answer is not read to its end is not used again
}

type Handler = {
  handle(
    request: Omit<HttpRequest, "body">,
    options: HttpHandlerOptions,
  ): Promise<{ response: { body?: unknown } }>;
};
