import type { SweepReport } from "../../shared/sweep/report.ts";
import type { SweepRequest } from "../../shared/sweep/run-sweep.ts";
import { CommandError } from "../errors.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { invokeFunction } from "../live/invoke-function.ts";

export type FunctionSweep = Pick<SweepRequest, "mode" | "plan" | "clusters" | "inventory"> & {
  /** Only these, as `cluster/namespace/name`. */
  readonly targets?: readonly string[];
};

/** Runs a sweep in the deployed reconcile function, with its permissions and bindings. A large sweep continues in its queue. */
export async function sweepViaFunction(
  aws: AwsSession,
  functionName: string,
  { mode, plan, clusters, targets, inventory }: FunctionSweep,
  timeoutMs: number,
): Promise<SweepReport> {
  const input = {
    sweep: mode,
    plan,
    ...(clusters && { clusters }),
    ...(targets && { targets }),
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

/** The function is not the reconcile function, or has an unsupported version. */
export class AnswerIsNoReport extends CommandError {
  readonly code = "ANSWER_IS_NO_REPORT";
  constructor(functionName: string) {
    super(
      `${functionName} did not return a report of version 1. Check --function, or use the version of this command that deployed the stack.`,
    );
  }
}
