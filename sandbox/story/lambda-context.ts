import { randomUUID } from "node:crypto";
import type { Context } from "aws-lambda";
import type { AwsSandbox } from "../aws/start-aws-sandbox.ts";

/** Lambda's context object for an invocation of a function of the stack. */
export function lambdaContext(
  { region, accountId }: AwsSandbox,
  functionName: string,
  timeoutMs: number,
): Context {
  const endsAt = Date.now() + timeoutMs;
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:${region}:${accountId}:function:${functionName}`,
    memoryLimitInMB: "512",
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: "story",
    getRemainingTimeInMillis: () => endsAt - Date.now(),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
