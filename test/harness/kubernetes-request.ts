import type { IncomingHttpHeaders } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import type { KubernetesBackend } from "./backend.ts";

export type KubernetesRequest = {
  method?: string;
  /** A JSON body; a string is sent as it is. */
  body?: unknown;
  contentType?: string;
  accept?: string;
  token?: string | null;
};

// biome-ignore lint/suspicious/noExplicitAny: a test reaches into whatever a server answers
export type KubernetesResponse = { status: number; headers: IncomingHttpHeaders; body: any };

export type KubernetesCall = (path: string, options?: KubernetesRequest) => Promise<KubernetesResponse>;

/** HTTPS requests to a backend, by default as its administrator, without a client library that could hide details. */
export function kubernetesCall(backend: KubernetesBackend): KubernetesCall & { close(): void } {
  const ca = Buffer.from(backend.certificateAuthorityData, "base64").toString("utf8");
  const agent = new Agent({ keepAlive: true, ca });
  const call: KubernetesCall = (path, options = {}) =>
    new Promise((resolve, reject) => {
      const { method = "GET", body, contentType = "application/json", accept, token } = options;
      const bearer = token === undefined ? backend.adminToken : token;
      const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const headers = {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        // Node sends the body of a DELETE without a length, and the server treats it as the next request.
        ...(sent === undefined
          ? {}
          : { "content-type": contentType, "content-length": Buffer.byteLength(sent) }),
        ...(accept === undefined ? {} : { accept }),
      };
      const request = httpsRequest(
        `${backend.endpoint}${path}`,
        { method, agent, headers },
        async (response) => {
          try {
            const received = await text(response);
            const isJson = response.headers["content-type"]?.includes("json");
            const status = response.statusCode ?? 0;
            resolve({ status, headers: response.headers, body: isJson ? JSON.parse(received) : received });
          } catch (error) {
            reject(error);
          }
        },
      );
      request.on("error", reject);
      request.end(sent);
    });
  return Object.assign(call, { close: () => agent.destroy() });
}
