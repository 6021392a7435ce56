import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it, vi } from "vitest";
import type { FaultKind } from "../../sandbox/aws/faults.ts";
import { newCanary } from "../harness/canary.ts";
import { lambdaContext } from "../harness/relay.ts";
import { base64, useFaultScene } from "./fault-scene.ts";
import { expectNoTrace, objectsOf, startWatchedRelay } from "./watched-relay.ts";

const struck = useFaultScene();

describe("no value leaks while Secrets Manager", () => {
  const faults: { it: string; fault: FaultKind; remainingMs?: number }[] = [
    { it: "throttles", fault: { kind: "throttle" } },
    { it: "fails", fault: { kind: "serverError" } },
    { it: "closes the connection before it reads", fault: { kind: "reset", when: "before" } },
    { it: "closes the connection after it reads", fault: { kind: "reset", when: "after" } },
    { it: "is slower than the Lambda timeout", fault: { kind: "latency", ms: 700 }, remainingMs: 1_500 },
    { it: "returns a stale response", fault: { kind: "staleRead" } },
    { it: "reports expired credentials", fault: { kind: "expiredCredentials" } },
    { it: "denies access", fault: { kind: "accessDenied" } },
    { it: "can't decrypt", fault: { kind: "decryptionFailure" } },
  ];
  it.each(faults)("$it", async ({ fault, remainingMs }) => {
    const { faults } = struck.backend.sandbox.aws;
    const strike = () => void faults.add({ ...fault, match: { operation: "GetSecretValue" } });
    await struck.rotateUnder(strike, () => faults.clear(), remainingMs);
  });
});

describe("no value leaks if Secrets Manager quotes it in", () => {
  afterEach(() => {
    const { AWS_ENDPOINT_URL_SECRETS_MANAGER } = struck.backend.aws.env;
    vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", AWS_ENDPOINT_URL_SECRETS_MANAGER);
  });
  const canary = newCanary();
  const jsonError = (type: string) => JSON.stringify({ __type: type, Message: canary, message: canary });
  const whole = { ARN: "arn", Name: "n", VersionId: "v", SecretString: canary };
  const answers: { it: string; status: number; body: string }[] = [
    ...[
      "AccessDeniedException",
      "ResourceNotFoundException",
      "InvalidRequestException",
      "DecryptionFailure",
    ].map((type) => ({ it: `a ${type}`, status: 400, body: jsonError(type) })),
    { it: "a throttle", status: 400, body: jsonError("ThrottlingException") },
    { it: "an error of an unknown type", status: 400, body: jsonError(canary) },
    { it: "an error of its own", status: 500, body: jsonError("InternalServiceError") },
    { it: "an error that is not JSON", status: 400, body: canary },
    { it: "a page with a 502", status: 502, body: `<p>${canary}</p>` },
    { it: "a response that is not JSON", status: 200, body: canary },
    { it: "a truncated response", status: 200, body: JSON.stringify(whole).slice(0, -3) },
    { it: "a response without a version", status: 200, body: JSON.stringify({ SecretString: canary }) },
    {
      it: "text where binary belongs",
      status: 200,
      body: JSON.stringify({ ...whole, SecretBinary: canary }),
    },
    {
      it: "a list where text belongs",
      status: 200,
      body: JSON.stringify({ ...whole, SecretString: [canary] }),
    },
  ];
  it.each(answers)("$it", async ({ status, body }) => {
    const server = createServer((_request, response) => {
      response.writeHead(status, {
        "content-type": "application/x-amz-json-1.1",
        "x-quoted": base64(canary),
      });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", `http://127.0.0.1:${port}`);
    const relay = await struck.startRelay();

    const { evidence } = await relay.invoke(
      { secretId: struck.source.name },
      lambdaContext(struck.backend, 4_000),
    );

    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expectNoTrace([...evidence, ...(await objectsOf(struck.scene))], struck.backend);
  });
});

describe("no value leaks if EKS or STS quotes it in an error", () => {
  it.each(["AccessDenied", "ExpiredTokenException", "ServiceUnavailableException", "no name at all"])(
    "%s",
    async (name) => {
      const canary = newCanary();
      const failing = async (): Promise<never> => {
        throw Object.assign(new Error(canary), { name, $response: { body: canary } });
      };
      const relay = await startWatchedRelay(struck.backend, {
        clusters: { looked: { name: "sandbox", region: "eu-west-1" } },
        bindings: [
          {
            source: struck.source.name,
            targets: [{ cluster: "looked", namespace: struck.scene.namespace, name: "db" }],
          },
        ],
        describeCluster: failing,
      });

      const { evidence } = await relay.invoke(
        { secretId: struck.source.name },
        lambdaContext(struck.backend, 2_500),
      );

      expectNoTrace(evidence, struck.backend);
    },
  );
});
