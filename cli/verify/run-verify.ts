import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import type { Cli } from "../cli.ts";
import { checkEventRule } from "../doctor/check-stack.ts";
import { toRelayError } from "../errors.ts";
import { FunctionFailed } from "../live/invoke-function.ts";
import { stackWords } from "../live/options.ts";
import { sweepViaFunction } from "../sweep/sweep-via-function.ts";
import { invokeFor } from "../sync/sync-via-function.ts";
import type { ReportProgress } from "../terminal/progress.ts";
import { editCanary, lookAtCanary, type NewValue, rotateCanary, type Sighting } from "./canary-secret.ts";
import {
  findRotation,
  isLogSilent,
  isWrittenBySweep,
  type LoggedRotation,
  type LogLine,
  readFunctionLog,
} from "./function-log.ts";
import { type Fault, HOPS, type HopName, type Times, type Timing, timeHops } from "./hops.ts";
import {
  type Called,
  explainUnknownTimes,
  faultAt,
  judgeArrival,
  judgeRepair,
  judgeRotation,
  judgeSweep,
  type LogEvidence,
  type LostRepair,
  type Note,
  type Why,
} from "./judge.ts";
import type { Prepared } from "./prepare.ts";

export type Verification = Timing & {
  readonly ok: boolean;
  readonly canary: {
    readonly cluster: string;
    readonly namespace: string;
    readonly name: string;
    readonly source: string;
  };
  readonly versionId?: string;
  readonly fault?: Fault;
  /** Why some times are unknown, although nothing failed. */
  readonly note?: Note;
};

export type VerifyLimits = {
  readonly stackName: string;
  /** For the rotation, and again for the repair. */
  readonly timeoutMs: number;
  readonly reportProgress: ReportProgress;
};

/** Rotates the canary and edits its Secret, and sees what the relay makes of both. It ends at the first hop that fails. */
export async function runVerify(cli: Cli, prepared: Prepared, limits: VerifyLimits): Promise<Verification> {
  const { binding, source } = prepared;
  const { cluster, namespace, name } = binding.target;
  const run: Run = {
    cli,
    prepared,
    limits,
    names: {
      secret: `${namespace}/${name}`,
      namespace,
      stack: stackWords(limits.stackName),
      seconds: limits.timeoutMs / 1_000,
    },
  };
  const times: MutableTimes = { startedAt: cli.now(), ofRelay: {} };
  const { fault, versionId, note } = await walk(run, times);
  return {
    ok: fault === undefined,
    canary: { cluster, namespace, name, source: source.id },
    ...(versionId !== undefined && { versionId }),
    ...timeHops(times, fault),
    ...(fault && { fault }),
    ...(fault === undefined && note && { note }),
  };
}

type Run = {
  readonly cli: Cli;
  readonly prepared: Prepared;
  readonly limits: VerifyLimits;
  readonly names: Parameters<typeof judgeRotation>[1];
};

type MutableTimes = { -readonly [Key in keyof Times]: Times[Key] };

type Walked = Pick<Verification, "versionId" | "fault" | "note">;

async function walk(run: Run, times: MutableTimes): Promise<Walked> {
  const { cli, prepared, limits } = run;
  const { aws, source, connection, binding, index } = prepared;
  const { now } = cli;
  const begin = (hop: HopName) => limits.reportProgress(HOPS[hop]);

  begin("source");
  const put = await orWhy(() => rotateCanary(aws, source));
  if ("code" in put) return { fault: faultAt("source", put, run.names) };
  const { versionId } = put;
  times.sourceAt = now();

  begin("observed");
  const landed = await waitForValue(run, put, (lines) => {
    return findRotation(lines, versionId).isRefused;
  });
  if (landed.kind !== "seen") {
    const lines = await readLog(run, times.startedAt);
    const logged = lines && findRotation(lines, versionId);
    times.ofRelay = { ...(logged?.eventAt !== undefined && { eventAt: logged.eventAt }) };
    return { versionId, fault: await explainLostRotation(run, landed.unread, logged) };
  }
  times.observedAt = now();
  const { writtenAt: secretAt } = landed;

  begin("event");
  const log = await waitForLog(run, versionId, times);
  const { eventAt, functionAt } = typeof log === "object" ? log : {};
  times.ofRelay = {
    ...(eventAt !== undefined && { eventAt }),
    ...(functionAt !== undefined && { functionAt }),
    ...(secretAt !== undefined && { secretAt }),
  };
  if (eventAt === undefined) {
    const fault = await doubtArrival(run, log, secretAt ?? times.startedAt);
    if (fault !== undefined) return { versionId, fault };
  }
  const note = explainUnknownTimes(log);

  begin("edit");
  times.editStartedAt = now();
  const edited = await orWhy(() => editCanary(connection, binding.target, index.ownMetadata));
  if (edited !== undefined) return { versionId, fault: faultAt("edit", edited, run.names) };
  times.editAt = now();

  begin("sweep");
  const sweep = await sweepCanary(run);
  const refused = judgeSweep(sweep, run.names);
  if (refused === undefined) times.sweepAt = now();

  begin("repair");
  const repaired = refused === undefined ? await waitForValue(run, put) : undefined;
  if (repaired?.kind === "seen") times.repairAt = now();
  if (repaired?.kind === "seen") return { versionId, ...(note && { note }) };
  const fault =
    refused ?? judgeRepair({ sweep, ...(repaired?.unread && { unread: repaired.unread }) }, run.names);
  return { versionId, fault };
}

type Waited =
  | ({ readonly kind: "seen" } & Omit<Sighting, "holds">)
  | { readonly kind: "not-seen"; readonly unread?: Why };

/** Looks at the Secret until it holds the value, or until the log says that it never will. */
async function waitForValue(
  { cli, prepared, limits }: Run,
  put: NewValue,
  isRefused: (lines: readonly LogLine[]) => boolean = () => false,
): Promise<Waited> {
  const { connection, binding, index } = prepared;
  const startedAt = cli.now();
  const endsAt = startedAt + limits.timeoutMs;
  let unread: Why | undefined;
  for (let nextLogAt = startedAt + LOG_EVERY_MS; ; ) {
    const seen = await orWhy(() => lookAtCanary(connection, binding.target, put, index.ownMetadata));
    unread = "code" in seen ? seen : undefined;
    if ("holds" in seen && seen.holds) {
      const { writtenAt } = seen;
      return { kind: "seen", ...(writtenAt !== undefined && { writtenAt }) };
    }
    if (cli.now() >= endsAt) return { kind: "not-seen", ...(unread && { unread }) };
    if (cli.now() >= nextLogAt) {
      if (isRefused((await readLog({ prepared }, startedAt)) ?? [])) return { kind: "not-seen" };
      nextLogAt = cli.now() + LOG_EVERY_MS;
    }
    await cli.wait(LOOK_EVERY_MS, NEVER);
  }
}

const LOOK_EVERY_MS = 200;
const LOG_EVERY_MS = 2_000;
const NEVER = new AbortController().signal;

/** Lines about the canary; undefined if the log cannot be read. */
async function readLog(
  { prepared: { aws, stack, source } }: Pick<Run, "prepared">,
  startedAt: number,
  output: "RotationLogGroupName" | "ReconcileLogGroupName" = "RotationLogGroupName",
): Promise<readonly LogLine[] | undefined> {
  const read = await orWhy(async () => {
    const group = stack.outputs[output];
    const sinceAt = startedAt - CLOCK_SKEW_MS_MAX;
    return { lines: await readFunctionLog(aws, { group, sourceName: source.names[0], sinceAt }) };
  });
  return "code" in read ? undefined : read.lines;
}

/** The clocks of this machine and of AWS may differ by that much: AWS refuses the signature otherwise. */
const CLOCK_SKEW_MS_MAX = 300_000;

/** The log has a rotation some seconds later. */
async function waitForLog(run: Run, versionId: string, { startedAt }: Times): Promise<LogEvidence> {
  const endsAt = run.cli.now() + LOG_DELAY_MS_MAX;
  for (;;) {
    const lines = await readLog(run, startedAt);
    if (lines === undefined) return "unreadable";
    const logged = findRotation(lines, versionId);
    if (logged.functionAt !== undefined) return logged;
    if (run.cli.now() >= endsAt)
      return logged.eventAt === undefined ? withoutEvent(run, startedAt, logged) : logged;
    await run.cli.wait(1_000, NEVER);
  }
}

/** Lines of other invocations show that the log works. Lines from before the start do not. */
async function withoutEvent(
  { prepared: { aws, stack } }: Run,
  startedAt: number,
  logged: LoggedRotation,
): Promise<LogEvidence> {
  const query = { group: stack.outputs.RotationLogGroupName, sinceAt: startedAt };
  const answer = await orWhy(async () => ({ isSilent: await isLogSilent(aws, query) }));
  if ("code" in answer || answer.isSilent === undefined) return "unreadable";
  return answer.isSilent ? "silent" : logged;
}

const LOG_DELAY_MS_MAX = 30_000;

/** Asks the rule and the sweeps about a value whose event is not in the log. */
async function doubtArrival(run: Run, log: LogEvidence, writtenAt: number): Promise<Fault | undefined> {
  const { aws, stack } = run.prepared;
  const [rule] = await checkEventRule(aws, stack);
  const sweepLines = (await readLog(run, writtenAt, "ReconcileLogGroupName")) ?? [];
  const found = { log, isWrittenBySweep: isWrittenBySweep(sweepLines, writtenAt) };
  return judgeArrival({ ...found, ...(rule && { rule }) }, run.names);
}

/** Asks the rule, and then the function itself: a direct call for the canary separates a lost event from a fault behind it. */
async function explainLostRotation(
  { prepared, names, limits }: Run,
  unread: Why | undefined,
  logged: LoggedRotation | undefined,
): Promise<Fault> {
  const { aws, stack } = prepared;
  const found = { ...(unread && { unread }), ...(logged && { logged }) };
  const [rule] = await checkEventRule(aws, stack);
  const isKnown = unread !== undefined || (rule?.status === "wrong" && logged?.eventAt === undefined);
  const call = isKnown ? ({ kind: "not-called" } as const) : await callRotation(prepared, limits.timeoutMs);
  return judgeRotation({ ...found, ...(rule && { rule }), call }, names);
}

async function callRotation(
  { aws, rotationFunction: functionName, source, binding }: Prepared,
  timeoutMs: number,
): Promise<Called> {
  const budget = startTimeBudget(timeoutMs);
  const answer = await orWhy(() => invokeFor({ aws, functionName, budget }, source));
  if ("code" in answer) return { kind: "failed", why: answer };
  const { targets, fault } = answer;
  const own = targets.find(({ target }) => nameOfTarget(target) === nameOfTarget(binding.target));
  if (own === undefined) {
    const { causes, ...why } = fault;
    return { kind: "failed", why, ...(causes && { causes }) };
  }
  const { code, advice = "" } = own.why;
  return code === undefined ? { kind: "synced" } : { kind: "failed", why: { code, advice } };
}

async function sweepCanary({ prepared, limits }: Run): Promise<LostRepair["sweep"]> {
  const { aws, reconcileFunction, binding } = prepared;
  const targets = [nameOfTarget(binding.target)];
  const request = { mode: "metadata", plan: false, inventory: true, targets } as const;
  return orWhy(() =>
    sweepViaFunction(aws, reconcileFunction, request, Math.max(limits.timeoutMs, SWEEP_MS_MIN)),
  );
}

/** A cold start, and a list of all sources. */
const SWEEP_MS_MIN = 60_000;

/** The result, or the code and advice of one of our errors. */
async function orWhy<T>(
  work: () => Promise<T>,
): Promise<T | (Why & { readonly causes?: readonly string[] })> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    const { code, message: advice } = toRelayError(error);
    return { code, advice, ...(error instanceof FunctionFailed && { causes: error.causes }) };
  }
}
