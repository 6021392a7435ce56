import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SQSBatchResponse } from "aws-lambda";
import { openReconcile } from "../../functions/reconcile/dependencies.ts";
import type { PublicationReport } from "../../functions/reconcile/follow-publication.ts";
import { reconcile } from "../../functions/reconcile/reconcile.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { Sandbox } from "../start-sandbox.ts";
import { type FunctionSettings, type LogLine, type Pace, recordLog } from "./deploy-relay.ts";
import { lambdaContext } from "./lambda-context.ts";

/** The reconcile function as the stack deploys it. */
export type DeployedSweep = {
  /** One invocation, as the schedule makes it. */
  sweep(input: SweepInput): Promise<Swept>;
  /** One invocation, as the event of a publication makes it. */
  follow(publication: string): Promise<Followed>;
  /** One invocation, with messages of the work queue. */
  work(records: readonly QueueRecord[]): Promise<SQSBatchResponse>;
  readonly log: readonly LogLine[];
};

export type QueueRecord = { readonly messageId: string; readonly body: string };

export type SweepInput = {
  readonly sweep: "metadata" | "values";
  readonly plan?: boolean;
  readonly inventory?: boolean;
  readonly targets?: readonly string[];
};

export type Swept = {
  readonly report: SweepReport;
  /** From the arrival of the input until the report. */
  readonly ms: number;
  readonly requests: RequestCounts;
};

export type Followed = PublicationReport & Pick<Swept, "ms">;

/** The requests of a sweep, as the servers counted them, independently of the sweep. */
export type RequestCounts = {
  readonly awsCalls: number;
  readonly kubernetesCalls: number;
  /** Values that Secrets Manager returned. */
  readonly sourceValues: number;
  /** Secrets that the cluster returned with their data. */
  readonly secretValues: number;
};

export async function deploySweep(
  { aws, kubernetes }: Pick<Sandbox, "aws" | "kubernetes">,
  settings: FunctionSettings,
  now: () => number,
  { onLog = () => {}, ...pace }: Pace & { readonly onLog?: (line: LogLine) => void } = {},
): Promise<DeployedSweep> {
  const log: LogLine[] = [];
  const open = await openReconcile(
    { ...process.env, ...settings },
    {
      ...pace,
      log: recordLog(log, onLog),
      measure: () => {},
      now,
    },
  );
  const run = reconcile(open);
  const countRequests = (): RequestCounts => ({
    awsCalls: aws.counters.callsTotal,
    kubernetesCalls: kubernetes.requests.total,
    sourceValues: aws.counters.secretValuesServed,
    secretValues: kubernetes.requests.secretValuesServed,
  });
  const invoke = async <T>(input: object): Promise<{ readonly output: T; readonly ms: number }> => {
    const startedAt = performance.now();
    const output = (await run(input, lambdaContext(aws, FUNCTION_NAME, TIMEOUT_MS))) as T;
    return { output, ms: performance.now() - startedAt };
  };
  return {
    log,
    sweep: async (input) => {
      const before = countRequests();
      const { output: report, ms } = await invoke<SweepReport>(input);
      return { report, ms, requests: difference(countRequests(), before) };
    },
    follow: async (publication) => {
      const { output, ms } = await invoke<PublicationReport>({ sweep: "metadata", publication });
      return { ...output, ms };
    },
    work: async (records) => (await invoke<SQSBatchResponse>({ Records: records })).output,
  };
}

const FUNCTION_NAME = "secret-relay-reconcile";
const TIMEOUT_MS = 300_000;

/** The function reads the file only when it starts. */
export async function withBindingsFile<T>(
  bindings: string,
  run: (settings: FunctionSettings) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "secret-relay-"));
  try {
    const file = join(folder, "bindings.yaml");
    await writeFile(file, bindings);
    return await run({ BINDINGS_FILE: file });
  } finally {
    await rm(folder, { recursive: true });
  }
}

function difference(after: RequestCounts, before: RequestCounts): RequestCounts {
  return {
    awsCalls: after.awsCalls - before.awsCalls,
    kubernetesCalls: after.kubernetesCalls - before.kubernetesCalls,
    sourceValues: after.sourceValues - before.sourceValues,
    secretValues: after.secretValues - before.secretValues,
  };
}
