import { boundedRequests } from "../../shared/aws-client/bounded-requests.ts";
import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { AwsSession } from "./aws-session.ts";
import { readStackOutputs } from "./stack.ts";

/** Which deployed function a command means. */
export type FunctionOptions = {
  readonly stackName: string;
  /** A name or ARN; then nothing is asked of CloudFormation. */
  readonly function?: string;
};

export type DeployedFunction = "RotationFunctionName" | "ReconcileFunctionName";

export async function findFunction(
  aws: AwsSession,
  output: DeployedFunction,
  { stackName, function: named }: FunctionOptions,
): Promise<string> {
  if (named !== undefined) return named;
  const name = (await readStackOutputs(aws, stackName))[output];
  if (name === undefined || name === "") throw new FunctionUnknown(stackName, output);
  return name;
}

/** Calls the function, waits for its answer, and gives what it returned. */
export async function invokeFunction(
  aws: AwsSession,
  functionName: string,
  input: object,
  timeoutMs: number,
): Promise<unknown> {
  const { LambdaClient, InvokeCommand } = await import("@aws-sdk/client-lambda");
  const client = new LambdaClient({
    ...aws.client,
    maxAttempts: 2, // a sync may be made twice, but a function that works for minutes need not be
    ...boundedRequests({ connectionMs: 5_000, requestMs: timeoutMs }),
  });
  try {
    const { FunctionError, Payload } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(input) }),
    );
    const answer = parseAnswer(Payload);
    if (FunctionError !== undefined) throw new FunctionFailed(functionName, answer);
    return answer;
  } catch (error) {
    if (error instanceof RelayError) throw error;
    const name = errorNameOf(error);
    if (name === "ResourceNotFoundException") throw new FunctionNotFound(functionName, aws.region);
    if (name === "AccessDeniedException") throw new FunctionForbidden(functionName);
    throw aws.classify(`Calling ${functionName}`, error);
  } finally {
    client.destroy();
  }
}

function parseAnswer(payload: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(payload ?? []).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The stack has no such output: an older version of it, or another stack. */
export class FunctionUnknown extends RelayError {
  override readonly name = "FunctionUnknown";
  readonly code = "FUNCTION_UNKNOWN";
  readonly retryable = false;
  constructor(stackName: string, output: DeployedFunction) {
    super(
      `Stack ${stackName} has no output ${output}. Check --stack-name, or name the function: --function NAME.`,
    );
  }
}

/** Lambda has no such function. */
export class FunctionNotFound extends RelayError {
  override readonly name = "FunctionNotFound";
  readonly code = "FUNCTION_NOT_FOUND";
  readonly retryable = false;
  constructor(functionName: string, region: string) {
    super(
      `Lambda has no function ${functionName} in ${region}. Check --function, --stack-name and --region.`,
    );
  }
}

/** lambda:InvokeFunction is not allowed. */
export class FunctionForbidden extends RelayError {
  override readonly name = "FunctionForbidden";
  readonly code = "FUNCTION_FORBIDDEN";
  readonly retryable = false;
  constructor(functionName: string) {
    super(
      `You may not call ${functionName} (lambda:InvokeFunction). Ask for that right, or leave --via-lambda out to do it from here.`,
    );
  }
}

/** The function ran and ended with an error. Its log says more; of its words only codes are repeated. */
export class FunctionFailed extends RelayError {
  override readonly name = "FunctionFailed";
  readonly code = "FUNCTION_FAILED";
  readonly retryable = true;
  constructor(functionName: string, answer: unknown) {
    const { errorType, errorMessage } = (answer ?? {}) as { errorType?: unknown; errorMessage?: unknown };
    const type = typeof errorType === "string" && /^[A-Za-z.]{1,60}$/.test(errorType) ? errorType : "unknown";
    const text = type === "SyncIncomplete" && typeof errorMessage === "string" ? errorMessage : "";
    const codes = [...new Set(text.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [])];
    super(
      `${functionName} did not finish (${[type, ...codes].join(", ")}). Its log says more: sam logs --stack-name STACK, or the log group /aws/lambda/… of the function; docs/runbook.md explains the codes.`,
    );
  }
}
