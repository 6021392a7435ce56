import { describe, expect, it } from "vitest";
import { type Answer, secretBody, startApiServer, statusBody } from "../cluster/api-server.ts";
import { newCanary } from "../harness/canary.ts";
import { lambdaContext } from "../harness/relay.ts";
import { base64, useFaultScene } from "./fault-scene.ts";
import { expectNoTrace } from "./watched-relay.ts";

const struck = useFaultScene();

describe("no value leaks if the API server quotes it in", () => {
  const quoting = (status: number, canary: string) => ({
    ...statusBody(status, canary),
    message: `Secret "db" is invalid: data: Invalid value: "${canary}"`,
    details: {
      name: canary,
      causes: [
        { reason: "FieldManagerConflict", message: `conflict with ${canary}`, field: ".data.password" },
        { reason: canary, message: base64(canary), field: `data: Invalid value: "${canary}"` },
      ],
    },
  });
  const statuses = [302, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 503];
  it.each(["GET", "PATCH"].flatMap((method) => statuses.map((status) => ({ method, status }))))(
    "a $status to a $method",
    async ({ method, status }) => {
      const canary = newCanary();
      const answer: Answer = (request, response) => {
        const isStruck = request.method === method;
        const otherwise = request.method === "GET" ? 404 : 201;
        const headers = {
          "content-type": "application/json",
          "x-quoted": base64(canary),
          location: `/?${base64(canary)}`,
          ...(status === 429 && { "retry-after": base64(canary) }),
        };
        response.writeHead(isStruck ? status : otherwise, base64(canary), headers);
        response.end(JSON.stringify(isStruck ? quoting(status, canary) : secretBody()));
      };
      const server = await startApiServer(answer);
      const { url, certificateAuthorityData } = server.endpoint;
      const relay = await struck.startRelay({ endpoint: url, certificateAuthorityData });

      const { evidence } = await relay.invoke(
        { secretId: struck.source.name },
        lambdaContext(struck.backend, 1_500),
      );

      expect(server.requests.some((request) => request.method === method)).toBe(true);
      await server.stop();
      expectNoTrace(evidence, struck.backend);
    },
  );
});
