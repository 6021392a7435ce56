import { RelayError } from "../../shared/relay-error.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { SweepRequest } from "../../shared/sweep/run-sweep.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { invokeFunction } from "../live/invoke-function.ts";

/** Has the deployed reconcile function sweep, with its rights and its bindings; a large one continues in its queue. */
export async function sweepViaFunction(
  aws: AwsSession,
  functionName: string,
  { mode, plan, clusters, inventory }: SweepRequest,
  timeoutMs: number,
): Promise<SweepReport> {
  const input = {
    sweep: mode,
    plan,
    ...(clusters && { clusters }),
    ...(inventory === true && { inventory }),
  };
  const answer = await invokeFunction(aws, functionName, input, timeoutMs);
  if (!isReport(answer)) throw new AnswerIsNoReport(functionName);
  return answer;
}

function isReport(answer: unknown): answer is SweepReport {
  const { version, targets, orphansUnknown } = (answer ?? {}) as Partial<Record<keyof SweepReport, unknown>>;
  return version === 1 && Array.isArray(targets) && Array.isArray(orphansUnknown);
}

/** Another function than the sweep's, or one of a version that this command does not know. */
export class AnswerIsNoReport extends RelayError {
  override readonly name = "AnswerIsNoReport";
  readonly code = "ANSWER_IS_NO_REPORT";
  readonly retryable = false;
  constructor(functionName: string) {
    super(
      `${functionName} did not answer with a report of version 1. Check --function, or take the version of this command that the stack was deployed from.`,
    );
  }
}
