import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { boundedRequests } from "../../shared/runtime/bounded-requests.ts";
import { CommandError } from "../errors.ts";
import type { AwsSession } from "./aws-session.ts";
import type { ViaLambdaOptions } from "./options.ts";
import { readStackOutputs } from "./stack.ts";

export type DeployedFunction = "RotationFunctionName" | "ReconcileFunctionName";

/** The function that the options name. With --function, CloudFormation is not called. */
export async function findFunction(
  aws: AwsSession,
  output: DeployedFunction,
  { stackName, function: named }: ViaLambdaOptions,
): Promise<string> {
  const name = named ?? (await readStackOutputs(aws, stackName))[output];
  if (name === undefined || name === "") throw new FunctionUnknown(stackName, output);
  return name;
}

/** Invokes the function, waits for its result and returns it. */
export async function invokeFunction(
  aws: AwsSession,
  functionName: string,
  input: object,
  timeoutMs: number,
): Promise<unknown> {
  const { LambdaClient, InvokeCommand } = await import("@aws-sdk/client-lambda");
  const client = new LambdaClient({
    ...aws.client,
    maxAttempts: 2, // a second sync is harmless, but a function that runs for minutes should not run more often
    ...boundedRequests({ connectionMs: 5_000, requestMs: timeoutMs }),
  });
  try {
    const { FunctionError, Payload } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(input) }),
    );
    const answer = parsePayload(Payload);
    if (FunctionError !== undefined) throw new FunctionFailed(functionName, answer);
    return answer;
  } catch (error) {
    if (error instanceof RelayError) throw error;
    const name = errorNameOf(error);
    if (name === "ResourceNotFoundException") throw new FunctionNotFound(functionName, aws.region);
    if (name === "AccessDeniedException") throw new FunctionForbidden(functionName);
    if (name === "TooManyRequestsException") throw new FunctionThrottled(functionName);
    throw aws.classify(`Calling ${functionName}`, error);
  } finally {
    client.destroy();
  }
}

function parsePayload(payload: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(payload ?? []).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The stack has no such output: it is an older version, or another stack. */
export class FunctionUnknown extends CommandError {
  readonly code = "FUNCTION_UNKNOWN";
  constructor(stackName: string, output: DeployedFunction) {
    super(
      `Stack ${stackName} has no output ${output}. Check --stack-name, or name the function: --function NAME.`,
    );
  }
}

export class FunctionNotFound extends CommandError {
  readonly code = "FUNCTION_NOT_FOUND";
  constructor(functionName: string, region: string) {
    super(
      `Lambda has no function ${functionName} in ${region}. Check --function, --stack-name and --region.`,
    );
  }
}

/** The caller lacks lambda:InvokeFunction. */
export class FunctionForbidden extends CommandError {
  readonly code = "FUNCTION_FORBIDDEN";
  constructor(functionName: string) {
    super(
      `You lack the permission lambda:InvokeFunction on ${functionName}. Ask for it, or run the command without --via-lambda.`,
    );
  }
}

/** No execution environment is free: the reserved concurrency or the limit of the account is used up. */
export class FunctionThrottled extends CommandError {
  readonly code = "FUNCTION_THROTTLED";
  override readonly retryable = true;
  constructor(functionName: string) {
    super(
      `Lambda has no free concurrency for ${functionName}. Raise its ReservedConcurrency, or the limit of the account: aws lambda get-function-concurrency --function-name ${functionName}`,
    );
  }
}

/** The function ended with an error. Only codes of its message are repeated. */
export class FunctionFailed extends CommandError {
  readonly code = "FUNCTION_FAILED";
  override readonly retryable = true;
  /** The codes of the targets that failed, or else the type of the error. */
  readonly causes: readonly string[];
  constructor(functionName: string, answer: unknown) {
    const { errorType, errorMessage } = (answer ?? {}) as { errorType?: unknown; errorMessage?: unknown };
    const type = typeof errorType === "string" && /^[A-Za-z.]{1,60}$/.test(errorType) ? errorType : "unknown";
    const text = type === "SyncIncomplete" && typeof errorMessage === "string" ? errorMessage : "";
    const codes = [...new Set(text.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [])];
    super(
      `${functionName} failed (${[type, ...codes].join(", ")}). Read its log: sam logs --stack-name STACK, or the log group /aws/lambda/… of the function. docs/runbook.md explains the codes.`,
    );
    this.causes = codes.length > 0 ? codes : [type];
  }
}
