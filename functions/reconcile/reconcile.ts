import type { Context, SQSBatchResponse } from "aws-lambda";
import type { Measure } from "../../shared/observability/measure.ts";
import { measureProgress, reportSweep } from "../../shared/observability/report-sweep.ts";
import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";
import { homeOfFunction } from "../../shared/secret-id/home-of-function.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { runShard, runSweep, type SweepSettings } from "../../shared/sweep/run-sweep.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { ReconcileDependencies } from "./dependencies.ts";
import { parseTask, type ShardMessage } from "./parse-task.ts";

/**
 * The schedule asks for a sweep: find what events missed or people changed, and repair it.
 *
 * A sweep succeeds when it has told what it found, also when it could not look everywhere or repair everything: the
 * report, the metrics and the alarms say so, and the next sweep comes in minutes. It fails when it was cut short, and
 * then its schedule or its queue sends it again.
 */
export const reconcile =
  (deps: ReconcileDependencies) =>
  async (input: unknown, context: Context): Promise<SweepReport | SQSBatchResponse> => {
    const settings: SweepSettings = {
      ...deps.settings,
      self: homeOfFunction(context),
      budget: startTimeBudget(context.getRemainingTimeInMillis() - REPORTING_MS),
      ...(deps.sendShards && { sendShards: deps.sendShards }),
    };
    const index = deps.bindingsFor(settings.self);
    const task = parseTask(input);
    switch (task.kind) {
      case "sweep": {
        const report = await runSweep(deps, index, task.request, settings);
        // A plan is for whoever asked for it: its findings stay, and would be counted again by the next sweep.
        const measure: Measure = report.plan ? () => {} : deps.measure;
        reportSweep(deps.log, measure, report);
        measureProgress(measure, report, false);
        return report;
      }
      case "shards": {
        const failures: SQSBatchResponse["batchItemFailures"] = [];
        // One after the other: side by side they would share the function's memory and its time.
        for (const message of task.messages) {
          if (!(await sweepMessage(deps, settings, message)))
            failures.push({ itemIdentifier: message.messageId });
        }
        return { batchItemFailures: failures };
      }
      case "unknown":
        throw new TaskUnknown(task.advice);
    }
  };

/** False when the message must come again. */
async function sweepMessage(
  deps: ReconcileDependencies,
  settings: SweepSettings,
  { shard }: ShardMessage,
): Promise<boolean> {
  const { log, measure } = deps;
  if (shard === undefined) {
    log("SHARD_REJECTED", {});
    return false; // to the failure queue, where a person can see it
  }
  try {
    const report = await runShard(deps, deps.bindingsFor(settings.self), shard, settings);
    reportSweep(log, measure, report);
    measureProgress(measure, report, true);
    return true;
  } catch (error) {
    // Not even a bug of ours in one shard stops the others of the batch.
    const { code, message: advice } = error instanceof RelayError ? error : UnexpectedFault.from(error);
    log("INVOCATION_FAILED", { code, advice });
    return false;
  }
}

/** The function was invoked with something that is no task of its. */
export class TaskUnknown extends RelayError {
  override readonly name = "TaskUnknown";
  readonly code = "TASK_UNKNOWN";
  readonly retryable = false;
}

/** Kept of Lambda's time to write the report, its log lines and its metrics. */
const REPORTING_MS = 5_000;
