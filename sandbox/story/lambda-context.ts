import { randomUUID } from "node:crypto";
import type { Context } from "aws-lambda";
import type { AwsSandbox } from "../aws/start-aws-sandbox.ts";

/** What Lambda tells a function of the stack about an invocation. */
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
