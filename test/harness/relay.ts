import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StandardRetryStrategy } from "@smithy/core/retry";
import type { Context } from "aws-lambda";
import { openReconcile, type ReconcileDependencies } from "../../functions/reconcile/dependencies.ts";
import type { PublicationReport } from "../../functions/reconcile/follow-publication.ts";
import { reconcile } from "../../functions/reconcile/reconcile.ts";
import { openRotation, type RotationDependencies } from "../../functions/rotation/dependencies.ts";
import { followRotation } from "../../functions/rotation/follow-rotation.ts";
import type { RotationReport } from "../../functions/rotation/settle.ts";
import type { DescribeCluster } from "../../shared/cluster/aws-clients.ts";
import type { LogCode, LogFields } from "../../shared/runtime/log.ts";
import type { MetricName } from "../../shared/runtime/metrics.ts";
import type { Wait } from "../../shared/runtime/retry.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { Backend } from "./backend.ts";
import { findTraces } from "./canary.ts";
import { overrideDependencies } from "./override-dependencies.ts";

/** The rotation function without its Lambda wrapper, with its logs and metrics kept. */
export type TestRelay = {
  invoke(input: unknown): Promise<RotationReport>;
  readonly logs: readonly { code: LogCode; fields: LogFields }[];
  readonly metrics: readonly { name: MetricName; value: number; code?: string }[];
  readonly dependencies: RotationDependencies;
};

/** The reconcile function likewise. */
export type TestSweeper = {
  sweep(input: unknown): Promise<SweepReport>;
  /** After a publication, by S3's version of its pointer. */
  follow(publication: string): Promise<PublicationReport>;
  readonly logs: TestRelay["logs"];
  readonly metrics: TestRelay["metrics"];
  readonly dependencies: ReconcileDependencies;
};

export type TestRelayOptions = {
  readonly bindings?: readonly object[];
  /** Published bindings in this bucket, instead of `bindings`. */
  readonly bindingsBucket?: string;
  /** Further clusters, or other settings of the one that the backend is. */
  readonly clusters?: Readonly<Record<string, object>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The name of the installation. */
  readonly relay?: string;
  /** Replaces what a test wants to step through. */
  readonly override?: (real: RotationDependencies) => Partial<RotationDependencies>;
  readonly now?: () => number;
  /** By default, advances the backend's clock. Set it for a relay that waits for another process. */
  readonly wait?: Wait;
  /** Stands in for EKS. */
  readonly describeCluster?: DescribeCluster;
};

/**
 * A relay with separate bindings, on a backend. It takes its AWS settings from process.env, as the function does, so
 * the test file must have set backend.aws.env there.
 */
export async function startRelay(backend: Backend, options: TestRelayOptions): Promise<TestRelay> {
  const { env, surroundings, logs, metrics, forget } = prepare(backend, options);
  const rotation = await openRotation(env, surroundings);
  const open = overrideDependencies(rotation.open, options.override);
  const dependencies = await open(OPENING);
  forget();
  const run = followRotation({ open, now: rotation.now });
  return {
    invoke: (input) => run(input, lambdaContext(backend)) as Promise<RotationReport>,
    logs,
    metrics,
    dependencies,
  };
}

export async function startSweeper(
  backend: Backend,
  options: Omit<TestRelayOptions, "override"> & {
    readonly override?: (real: ReconcileDependencies) => Partial<ReconcileDependencies>;
    readonly remainingMs?: number;
    /** Instead of a day, so that a test need not wait for one. */
    readonly deletionGraceMs?: number;
  },
): Promise<TestSweeper> {
  const { env, surroundings, logs, metrics, forget } = prepare(backend, options);
  const open = overrideDependencies(await openReconcile(env, surroundings), (real) => {
    const { deletionGraceMs = real.settings.deletionGraceMs } = options;
    const settings = { ...real.settings, deletionGraceMs };
    return { settings, ...options.override?.({ ...real, settings }) };
  });
  const dependencies = await open(OPENING);
  forget();
  const run = reconcile(open);
  const invoke = (input: unknown) => run(input, lambdaContext(backend, options.remainingMs ?? 120_000));
  return {
    sweep: (input) => invoke(input) as Promise<SweepReport>,
    follow: (publication) => invoke({ sweep: "metadata", publication }) as Promise<PublicationReport>,
    logs,
    metrics,
    dependencies,
  };
}

const OPENING = { signal: new AbortController().signal, remainingMs: () => 10_000 };

function prepare(backend: Backend, options: Omit<TestRelayOptions, "override">) {
  const logs: { code: LogCode; fields: LogFields }[] = [];
  const metrics: { name: MetricName; value: number; code?: string }[] = [];
  const folder = mkdtempSync(join(tmpdir(), "relay-bindings-"));
  const bindingsFile = join(folder, "bindings.yaml");
  const clusters = { main: pinnedCluster(backend), ...options.clusters };
  const { relay } = options;
  const file = {
    version: 1,
    ...(relay !== undefined && { relay }),
    clusters,
    defaults: { cluster: "main" },
    bindings: options.bindings ?? [],
  };
  writeFileSync(bindingsFile, JSON.stringify(file)); // JSON is YAML
  return {
    env: {
      ...process.env,
      ...(options.bindingsBucket === undefined
        ? { BINDINGS_FILE: bindingsFile }
        : { BINDINGS_BUCKET: options.bindingsBucket }),
      ...(relay !== undefined && { RELAY_NAME: relay }),
      ...options.env,
    },
    surroundings: {
      log: (code: LogCode, fields: LogFields = {}) => keepClean(logs, { code, fields }),
      measure: (name: MetricName, value: number, code?: string) =>
        keepClean(metrics, { name, value, ...(code !== undefined && { code }) }),
      now: options.now ?? backend.clock.now,
      wait: options.wait ?? backend.clock.advance,
      ...(options.describeCluster && { describeCluster: options.describeCluster }),
      ...(backend.name === "sandbox" && { retryStrategy: withoutPauses() }),
    },
    logs,
    metrics,
    forget: () => rmSync(folder, { recursive: true }),
  };
}

/** The values of the contract suites are canaries: one in a log or a metric fails the test immediately. */
function keepClean<T>(kept: T[], entry: T): void {
  const traces = findTraces(JSON.stringify(entry));
  if (traces.length > 0) throw new Error(`A secret value was logged or measured (${traces.join(", ")})`);
  kept.push(entry);
}

/** The SDK's retries, without its pauses of up to four seconds: those would wait for a real clock. */
export const withoutPauses = () =>
  new StandardRetryStrategy({
    maxAttempts: 4,
    backoff: { computeNextBackoffDelay: () => 0, setDelayBase: () => {} },
  });

/** The backend's cluster as bindings describe it when its endpoint is pinned. */
export function pinnedCluster({ kubernetes }: Backend) {
  return {
    name: kubernetes.clusterName,
    region: kubernetes.region,
    endpoint: kubernetes.endpoint,
    certificateAuthorityData: kubernetes.certificateAuthorityData,
  };
}

export function lambdaContext({ aws }: Pick<Backend, "aws">, remainingMs = 15_000): Context {
  const endsAt = Date.now() + remainingMs;
  const functionName = "rotation";
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:${aws.region}:${aws.accountId}:function:${functionName}`,
    memoryLimitInMB: "256",
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: "2026/11/20/[$LATEST]0",
    getRemainingTimeInMillis: () => endsAt - Date.now(),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}

/** The native event for a source, as EventBridge sends it. */
export function labelUpdated(
  backend: Pick<Backend, "aws">,
  source: { arn: string; name: string; versionId: string },
  at = Date.now(),
  label = "AWSCURRENT",
) {
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": "Secret Label Updated",
    source: "aws.secretsmanager",
    account: backend.aws.accountId,
    time: new Date(Math.floor(at / 1_000) * 1_000).toISOString().replace(".000Z", "Z"),
    region: backend.aws.region,
    resources: [source.arn],
    detail: { name: source.name, labelUpdated: label, versionId: source.versionId },
  };
}
