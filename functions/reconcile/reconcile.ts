import type { Context, SQSBatchResponse } from "aws-lambda";
import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";
import type { Measure } from "../../shared/runtime/metrics.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { functionLocation } from "../../shared/source/function-location.ts";
import { followUpTarget } from "../../shared/sweep/follow-up-target.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { measureProgress, reportSweep } from "../../shared/sweep/report-sweep.ts";
import { runShard, runSweep, type Sweeper } from "../../shared/sweep/run-sweep.ts";
import type { OpenReconcile, ReconcileDependencies } from "./dependencies.ts";
import { followPublication, type PublicationReport } from "./follow-publication.ts";
import { openSweeper } from "./open-sweeper.ts";
import { parseTask, type WorkMessage } from "./parse-task.ts";

/**
 * Runs a sweep, which finds and repairs missed events and manual changes.
 *
 * The invocation succeeds even if the sweep could not check or repair everything: report, metrics and alarms show that,
 * and the next sweep runs within minutes. It fails if the sweep was cut short; then the schedule or queue retries it.
 */
export const reconcile =
  (open: OpenReconcile) =>
  async (input: unknown, context: Context): Promise<SweepReport | PublicationReport | SQSBatchResponse> => {
    const self = functionLocation(context);
    const budget = startTimeBudget(context.getRemainingTimeInMillis() - REPORTING_MS);
    const task = parseTask(input);
    if (task.kind === "unknown") throw new TaskUnknown(task.advice);
    if (task.kind === "publication") return followPublication(open, task.publication, self, budget);
    const deps = await open(budget);
    const sweeper = await openSweeper(deps, self, budget);
    switch (task.kind) {
      case "sweep": {
        const report = await runSweep(sweeper, task.request);
        // The findings of a plan are not repaired, so metrics would count them again in the next sweep. A sweep of
        // named targets says nothing about the others, and `verify` makes the drift that it finds.
        const isMeasured = !report.plan && task.request.only === undefined;
        const measure: Measure = isMeasured ? deps.measure : () => {};
        reportSweep(deps.log, measure, report);
        measureProgress(measure, report, false);
        return report;
      }
      case "messages": {
        const failures: SQSBatchResponse["batchItemFailures"] = [];
        // Sequentially, because concurrent shards would share the function's memory and time.
        for (const message of task.messages) {
          if (!(await handleMessage(deps, sweeper, message)))
            failures.push({ itemIdentifier: message.messageId });
        }
        return { batchItemFailures: failures };
      }
    }
  };

/** Returns false if SQS must deliver the message again. */
async function handleMessage(
  deps: ReconcileDependencies,
  sweeper: Sweeper,
  { work }: WorkMessage,
): Promise<boolean> {
  const { log, measure } = deps;
  if (work === undefined) {
    log("MESSAGE_REJECTED", {});
    return false; // the message ends in the dead-letter queue
  }
  try {
    if ("kind" in work) {
      await followUpTarget(sweeper, work);
      return true;
    }
    const report = await runShard(sweeper, work);
    reportSweep(log, measure, report);
    measureProgress(measure, report, true);
    return true;
  } catch (error) {
    // A bug in one message must not stop the other messages of the batch.
    const { code, message: advice } = error instanceof RelayError ? error : UnexpectedFault.from(error);
    log("INVOCATION_FAILED", { code, advice });
    return false;
  }
}

/** The input of the invocation is not a known task. */
export class TaskUnknown extends RelayError {
  override readonly name = "TaskUnknown";
  readonly code = "TASK_UNKNOWN";
  readonly retryable = false;
}

/** Time reserved for the report, log lines and metrics. */
const REPORTING_MS = 5_000;
