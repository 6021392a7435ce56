import { RelayError } from "../../shared/relay-error.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { invokeFunction } from "../live/invoke-function.ts";
import type { StackOutputs } from "../live/stack.ts";
import { sendMessage } from "./queue-messages.ts";
import type { Replay } from "./redrive-queue.ts";

/** Events go to the rotation function, sweeps to the reconcile function, and shards into their queue, which holds the pace. */
export function replayToFunctions(aws: AwsSession, outputs: StackOutputs): Replay {
  const { RotationFunctionName = "", ReconcileFunctionName = "", ShardQueueUrl = "" } = outputs;
  return async (kind, input) => {
    if (kind === "shards") return sendMessage(aws, ShardQueueUrl, JSON.stringify(input));
    const name = kind === "events" ? RotationFunctionName : ReconcileFunctionName;
    const answer = await invokeFunction(aws, name, input, INVOCATION_MS_MAX);
    if (kind === "events") checkAnswer(answer);
  };
}

/** The function succeeds when nothing is left to be repeated. A message whose event it refused is kept all the same. */
function checkAnswer(answer: unknown): void {
  const { targets = [], rejected = [] } = (answer ?? {}) as {
    targets?: readonly { outcome?: string; code?: string }[];
    rejected?: readonly { code?: string }[];
  };
  const refused = [...targets.filter(({ outcome }) => outcome === "refused"), ...rejected];
  const codes = refused.map(({ code = "" }) => code).filter((code) => /^[A-Z_]{1,60}$/.test(code));
  if (refused.length > 0) throw new ReplayRefused([...new Set(codes)]);
}

/** The function took the event, and refused a target for a reason that only a person can remove. */
export class ReplayRefused extends RelayError {
  override readonly name = "ReplayRefused";
  readonly code = "REPLAY_REFUSED";
  readonly retryable = false;
  constructor(codes: readonly string[]) {
    super(
      `The function refused it (${codes.join(", ")}), so the message stays. Remove the cause, which docs/runbook.md explains, and replay again.`,
    );
  }
}

/** The longest that a function of the stack may take. */
const INVOCATION_MS_MAX = 900_000;
