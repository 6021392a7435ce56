import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { RelayError } from "../relay-error.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import type { DirectCall } from "./parse-call.ts";

export type InvokeRotation = (input: DirectCall, budget: TimeBudget) => Promise<void>;

/**
 * Hands a call over to Lambda's queue of the rotation function, as EventBridge does with an event: from there on it is
 * repeated, kept in the failure queue and counted like one.
 */
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
    if (answer.StatusCode !== 202) throw new RotationNotInvoked("an answer other than 202");
  };
}

/** Lambda did not take the call for the rotation function. Its sender was told to send it again. */
export class RotationNotInvoked extends RelayError {
  override readonly name = "RotationNotInvoked";
  readonly code = "ROTATION_NOT_INVOKED";
  readonly retryable = true;
  constructor(reason: string) {
    super(
      `Lambda did not take the call (${reason}). Its sender was told to try again; look at the role's right to invoke, and at throttles.`,
    );
  }
}

/** The name of an error that Lambda is known to give, and nothing else of it. */
function reasonOf(error: unknown): string {
  const name = (error as { name?: unknown } | null)?.name;
  return typeof name === "string" && KNOWN.has(name) ? name : "no proper answer";
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
