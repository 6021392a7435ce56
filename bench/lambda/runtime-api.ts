import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** Lambda's Runtime API, from which a function fetches events and to which it posts answers. Times are epoch ms. */
export type RuntimeApi = {
  /** For AWS_LAMBDA_RUNTIME_API. */
  readonly address: string;
  /** When the loaded function requested its first event. */
  readonly ready: Promise<number>;
  /** Sends one event. Throws the error of a function that failed. */
  invoke(event: unknown, invokedFunctionArn: string): Promise<{ deliveredAt: number; answeredAt: number }>;
  stop(): Promise<void>;
};

const TIMEOUT_MS = 60_000;

export async function startRuntimeApi(): Promise<RuntimeApi> {
  const ready = Promise.withResolvers<number>();
  let waiting = Promise.withResolvers<ServerResponse>();
  let answered = Promise.withResolvers<number>();

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.replace("/2018-06-01/runtime/", "") ?? "";
    if (path === "invocation/next") {
      ready.resolve(now());
      waiting.resolve(response);
      return;
    }
    const answeredAt = now();
    const body = (await buffer(request)).toString();
    response.writeHead(202).end();
    if (path.endsWith("/response")) answered.resolve(answeredAt);
    else if (path === "init/error") ready.reject(new Error(`The function did not start: ${body}`));
    else answered.reject(new Error(`The function failed: ${body}`));
  };

  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ready: ready.promise,
    invoke: async (event, invokedFunctionArn) => {
      const response = await waiting.promise;
      waiting = Promise.withResolvers();
      answered = Promise.withResolvers();
      const deliveredAt = now();
      response
        .writeHead(200, {
          "content-type": "application/json",
          "lambda-runtime-aws-request-id": randomUUID(),
          "lambda-runtime-deadline-ms": String(Math.round(deliveredAt) + TIMEOUT_MS),
          "lambda-runtime-invoked-function-arn": invokedFunctionArn,
          "lambda-runtime-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
        })
        .end(JSON.stringify(event));
      return { deliveredAt, answeredAt: await answered.promise };
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function now(): number {
  return performance.timeOrigin + performance.now();
}
