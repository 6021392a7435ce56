import { CommandError } from "../errors.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { invokeFunction } from "../live/invoke-function.ts";
import type { StackOutputs } from "../live/stack.ts";
import { sendMessage } from "./queue-messages.ts";
import type { Replay } from "./redrive-queue.ts";

/** Events go to the rotation function, sweeps to the reconcile function, and shards to their queue, which limits the rate. */
export function replayToFunctions(aws: AwsSession, outputs: StackOutputs): Replay {
  const { RotationFunctionName = "", ReconcileFunctionName = "", WorkQueueUrl = "" } = outputs;
  return async (kind, input) => {
    if (kind === "shards") return sendMessage(aws, WorkQueueUrl, JSON.stringify(input));
    const name = kind === "events" ? RotationFunctionName : ReconcileFunctionName;
    const answer = await invokeFunction(aws, name, input, INVOCATION_MS_MAX);
    if (kind === "events") checkAnswer(answer);
  };
}

/** The function succeeds if nothing needs a retry. A message with a refused event still stays in the queue. */
function checkAnswer(answer: unknown): void {
  const { targets = [], rejected = [] } = (answer ?? {}) as {
    targets?: readonly { outcome?: string; code?: string }[];
    rejected?: readonly { code?: string }[];
  };
  const refused = [...targets.filter(({ outcome }) => outcome === "refused"), ...rejected];
  const codes = refused.map(({ code = "" }) => code).filter((code) => /^[A-Z_]{1,60}$/.test(code));
  if (refused.length > 0) throw new ReplayRefused([...new Set(codes)]);
}

/** The function refused a target, and an operator must fix the cause. */
export class ReplayRefused extends CommandError {
  readonly code = "REPLAY_REFUSED";
  constructor(codes: readonly string[]) {
    super(
      `The function refused the event (${codes.join(", ")}), so the message stays. Fix the cause (see docs/runbook.md), then replay again.`,
    );
  }
}

/** The longest timeout of a function in the stack. */
const INVOCATION_MS_MAX = 900_000;
