import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { RelayError } from "../../shared/relay-error.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { DirectCall } from "./parse-call.ts";

export type InvokeRotation = (input: DirectCall, budget: TimeBudget) => Promise<void>;

/** Invokes the rotation function asynchronously, as EventBridge does, so the same retries and failure queue apply. */
export function invokeRotationWith(client: LambdaClient, functionArn: string): InvokeRotation {
  return async (input, budget) => {
    const command = new InvokeCommand({
      FunctionName: functionArn,
      InvocationType: "Event",
      Payload: JSON.stringify(input),
    });
    const answer = await client.send(command, { abortSignal: budget.signal }).catch((error: unknown) => {
      throw new RotationNotInvoked(reasonOf(error));
    });
    if (answer.StatusCode !== 202) throw new RotationNotInvoked("a status other than 202");
  };
}

/** Lambda did not accept the invocation. The webhook's caller gets 503 and retries. */
export class RotationNotInvoked extends RelayError {
  override readonly name = "RotationNotInvoked";
  readonly code = "ROTATION_NOT_INVOKED";
  readonly retryable = true;
  constructor(reason: string) {
    super(
      `Lambda did not accept the invocation of the rotation function (${reason}). The caller was asked to retry. Check the role's permission lambda:InvokeFunction, and throttling.`,
    );
  }
}

/** Only known names of Lambda errors are logged. */
function reasonOf(error: unknown): string {
  const name = (error as { name?: unknown } | null)?.name;
  return typeof name === "string" && KNOWN.has(name) ? name : "no valid response";
}

const KNOWN: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "ExpiredTokenException",
  "KMSAccessDeniedException",
  "ResourceConflictException",
  "ResourceNotFoundException",
  "ServiceException",
  "TimeoutError",
  "TooManyRequestsException",
  "UnrecognizedClientException",
]);
