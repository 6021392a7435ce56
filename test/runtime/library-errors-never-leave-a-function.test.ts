import { inspect } from "node:util";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import type { Context } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ClusterUnavailable } from "../../shared/cluster/errors.ts";
import { UnexpectedFault } from "../../shared/relay-error.ts";
import { withMiddlewares } from "../../shared/runtime/middlewares.ts";

const CANARY = "canary-7f3a9c1e";

const context = {
  functionName: "rotation",
  functionVersion: "1",
  invokedFunctionArn: "arn:aws:lambda:eu-west-1:111122223333:function:rotation",
  memoryLimitInMB: "256",
  awsRequestId: "request-1",
  getRemainingTimeInMillis: () => 30_000,
} as Context;

let output = "";
beforeEach(() => {
  output = "";
  vi.stubEnv("POWERTOOLS_DEV", "true");
  vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "false"); // which is what development would switch off
  for (const method of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => {
      output += `${args.map((arg) => inspect(arg, { depth: null })).join(" ")}\n`;
    });
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const invoke = (handler: () => Promise<unknown>) => {
  const metrics = new Metrics({ namespace: "SecretRelay", serviceName: "rotation" });
  const wrapped = withMiddlewares(
    handler,
    new Logger({ serviceName: "rotation", logLevel: "DEBUG" }),
    metrics,
  );
  return wrapped({ secretId: "prod/db" }, context);
};

const thrownBy = (thrown: unknown) =>
  invoke(() => Promise.reject(thrown)).then(
    () => "no failure",
    (error: unknown) => error,
  );

/** Errors as libraries create them: the secret is in the message, a body, the stack, a cause or a header. */
class ApiException extends Error {
  readonly body = `{"data":{"password":"${CANARY}"}}`;
  readonly headers = { authorization: CANARY };
  readonly code = 500;
}

const nastyErrors: { it: string; error: () => unknown }[] = [
  {
    it: "with a value in the message and the body",
    error: () => new ApiException(`HTTP-Code: 500 Body: ${CANARY}`),
  },
  { it: "with a value in the cause", error: () => new Error("failed", { cause: new ApiException(CANARY) }) },
  {
    it: "that aggregates several errors",
    error: () => new AggregateError([new ApiException(CANARY)], CANARY),
  },
  {
    it: "with a value in a custom stack",
    error: () => Object.assign(new Error("failed"), { stack: `Error: ${CANARY}\n    at ${CANARY}` }),
  },
  {
    it: "with a message that looks like a stack",
    error: () => new Error(`x\n    at ${CANARY}.js:1:1\n    at f (${CANARY}.js:1:1)`),
  },
  {
    it: "with a replaced message that looked like a stack",
    error: () => reworded(new Error(`x\n    at ${CANARY}.js:1:1`)),
  },
  { it: "with a value in the name", error: () => Object.assign(new Error("failed"), { name: CANARY }) },
  { it: "without a stack", error: () => Object.assign(new Error(CANARY), { stack: undefined }) },
  { it: "without a constructor", error: () => Object.assign(new Error(CANARY), { constructor: undefined }) },
  { it: "from JSON.parse", error: () => parseErrorOf(`{"password": ${CANARY}}`) },
  { it: "that is a string", error: () => CANARY },
  { it: "that is an object", error: () => ({ message: CANARY }) },
];

describe("no library error leaves a function", () => {
  it.each(nastyErrors)("$it", async ({ error }) => {
    const failure = await thrownBy(error());

    expect(failure).toBeInstanceOf(UnexpectedFault);
    expect(failure).toMatchObject({ code: "UNEXPECTED_FAULT", retryable: true });
    expect(inspect(failure, { showHidden: true, depth: null })).not.toContain(CANARY);
    expect(output).toContain("UNEXPECTED_FAULT");
    expect(output).not.toContain(CANARY);
  });

  it("but one of ours with the type and location of the fault", async () => {
    const failure = await thrownBy(new TypeError(CANARY));
    expect(String(failure)).toMatch(/An unexpected TypeError was thrown at [\w.-]+\.test\.ts:\d+:\d+\./);
  });

  it("while our own error leaves unchanged, without its stack, and is logged with its code", async () => {
    const ours = new ClusterUnavailable("main", "ECONNRESET");

    const failure = await thrownBy(ours);

    expect(failure).toBe(ours);
    expect((failure as Error).stack).toBe(`ClusterUnavailable: ${ours.message}`);
    expect(output).toContain("CLUSTER_UNAVAILABLE");
    expect(output).toContain("INVOCATION_FAILED");
  });

  it("and a response is passed on", async () => {
    expect(await invoke(async () => ({ targets: [] }))).toEqual({ targets: [] });
  });

  it("and metrics are written even if the invocation failed", async () => {
    const metrics = new Metrics({ namespace: "SecretRelay", serviceName: "rotation" });
    const logger = new Logger({ serviceName: "rotation" });
    const handler = withMiddlewares(
      async () => {
        metrics.addMetric("TargetsFailed", "Count", 1);
        throw new ClusterUnavailable("main", "ECONNRESET");
      },
      logger,
      metrics,
    );
    await expect(handler({}, context)).rejects.toThrow(ClusterUnavailable);
    expect(output).toContain("TargetsFailed");
  });
});

/** Its stack keeps the first message, as when an SDK changes an error whose stack was read before. */
function reworded(error: Error): Error {
  const { stack } = error;
  return Object.assign(error, { stack, message: "other" });
}

function parseErrorOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}
