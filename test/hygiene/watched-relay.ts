import { inspect } from "node:util";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import type { Context } from "aws-lambda";
import { expect } from "vitest";
import { followRotation } from "../../functions/rotation/follow-rotation.ts";
import { logThrough } from "../../shared/runtime/log.ts";
import { measureThrough } from "../../shared/runtime/metrics.ts";
import { withMiddlewares } from "../../shared/runtime/middlewares.ts";
import type { Backend } from "../harness/backend.ts";
import { findTraces } from "../harness/canary.ts";
import { lambdaContext, startRelay, type TestRelayOptions } from "../harness/relay.ts";
import type { Scene } from "../harness/scene.ts";

/** Something that left the relay, or that it left behind. */
export type Evidence = { readonly place: string; readonly text: string };

export type Invocation = {
  readonly answer?: unknown;
  readonly error?: unknown;
  readonly evidence: readonly Evidence[];
};

export type WatchedRelay = {
  /** One invocation, wrapped as Lambda runs it, with everything kept that came out of it. It never throws. */
  invoke(event: unknown, context?: Context): Promise<Invocation>;
};

/** The rotation function with middy and Powertools, logging everything that it can log. */
export async function startWatchedRelay(backend: Backend, options: TestRelayOptions): Promise<WatchedRelay> {
  const logger = new Logger({ serviceName: "rotation", logLevel: "DEBUG" });
  const metrics = new Metrics({ namespace: "SecretRelay", serviceName: "rotation" });
  const { dependencies } = await startRelay(backend, {
    ...options,
    override: (real) => ({
      log: logThrough(logger),
      measure: measureThrough(metrics),
      ...options.override?.(real),
    }),
  });
  const handler = withMiddlewares(
    followRotation({ open: async () => dependencies, now: dependencies.now }),
    logger,
    metrics,
  );
  return {
    invoke: async (event, context = lambdaContext(backend)) => {
      const { output, result } = await captureOutput(() =>
        handler(event, context).then(
          (answer) => ({ answer }),
          (error: unknown) => ({ error }),
        ),
      );
      // What the caller sent comes back in a failure record; it is the caller's own and is not held against the relay.
      const evidence = [
        { place: "stdout and stderr", text: output },
        ...("error" in result ? describeError(result.error) : describe("the answer", result.answer)),
      ];
      return { ...result, evidence };
    },
  };
}

/** Every object of the scene's namespace and the namespace itself, but for the data of its Secrets. */
export async function objectsOf(scene: Scene): Promise<Evidence[]> {
  const core = `/api/v1/namespaces/${scene.namespace}`;
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${scene.namespace}`;
  const paths = [core, `${core}/secrets`, `${core}/events`, `${rbac}/roles`, `${rbac}/rolebindings`];
  const answers = await Promise.all(paths.map((path) => scene.admin(path)));
  return answers.map(({ body }, index) => {
    for (const item of body.items ?? []) if (paths[index]?.endsWith("/secrets")) delete item.data;
    return { place: `GET ${paths[index]}`, text: JSON.stringify(body) };
  });
}

/** Fails when there is a trace of a canary, of the AWS key or of a cluster token. */
export function expectNoTrace(evidence: readonly Evidence[], backend: Backend): void {
  expect(evidence.some(({ text }) => text.includes('"logCode"'))).toBe(true); // nothing kept would prove nothing
  expect(tracesIn(evidence, backend)).toEqual([]);
}

/** Where something secret stands and in which form; never the text itself. */
export function tracesIn(evidence: readonly Evidence[], backend: Backend): string[] {
  return evidence.flatMap(({ place, text }) =>
    findTraces(text, secretsOf(backend)).map((form) => `${place}: ${form}`),
  );
}

function secretsOf({ aws, kubernetes }: Backend): string[] {
  return [aws.env.AWS_SECRET_ACCESS_KEY ?? "", kubernetes.adminToken, "k8s-aws-v1."];
}

/** Runs with stdout and stderr kept instead of written, whichever way they are reached. */
export async function captureOutput<T>(run: () => Promise<T>): Promise<{ output: string; result: T }> {
  let output = "";
  const keep = (chunk: unknown): boolean => {
    output += typeof chunk === "string" ? chunk : Buffer.from(chunk as Uint8Array).toString("utf8");
    return true;
  };
  const keepLine = (...parts: readonly unknown[]) => {
    output += `${parts.map((part) => (typeof part === "string" ? part : inspect(part, EVERYTHING))).join(" ")}\n`;
  };
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write };
  const methods = ["log", "info", "warn", "error", "debug", "trace"] as const;
  const kept = methods.map((method) => console[method]);
  process.stdout.write = keep;
  process.stderr.write = keep;
  for (const method of methods) console[method] = keepLine;
  try {
    const result = await run();
    return { result, output };
  } finally {
    process.stdout.write = writes.stdout;
    process.stderr.write = writes.stderr;
    for (const [index, method] of methods.entries()) console[method] = kept[index] ?? console[method];
  }
}

const EVERYTHING = { depth: null, showHidden: true, maxStringLength: null, maxArrayLength: null } as const;

function describe(place: string, value: unknown): Evidence[] {
  return [
    { place: `${place}, as JSON`, text: JSON.stringify(value) ?? "" },
    { place: `${place}, inspected`, text: inspect(value, EVERYTHING) },
  ];
}

/** An error as Lambda, a log library and a debugger show it, and as Lambda puts it into the failure queue. */
function describeError(error: unknown): Evidence[] {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const responsePayload = { errorType: name, errorMessage: message, trace: stack?.split("\n") };
  const context = { condition: "RetriesExhausted", approximateInvokeCount: 3 };
  return [
    ...describe("the error", error),
    { place: "the error, as text", text: `${String(error)}\n${stack}` },
    {
      place: "the failure queue's record",
      text: JSON.stringify({ requestContext: context, responsePayload }),
    },
  ];
}
