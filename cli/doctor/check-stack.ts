import { errorNameOf } from "../../shared/cluster/credentials.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { type DeployedStack, readStack, StackForbidden, StackNotFound } from "../live/stack.ts";
import { FAILURE_QUEUES, type FailureQueue } from "../redrive/failure-queues.ts";
import { printAge } from "../terminal/words.ts";
import { type CheckName, type CheckResult, ok, skipped, wrong, wrongBy } from "./check-result.ts";

export type StackCheck = { readonly results: readonly CheckResult[]; readonly stack?: DeployedStack };

/** Is the stack there, and is everything in it that an event or a sweep passes through? */
export async function checkStack(aws: AwsSession, stackName: string, now: number): Promise<StackCheck> {
  let stack: DeployedStack;
  try {
    stack = await readStack(aws, stackName);
  } catch (error) {
    if (error instanceof StackForbidden)
      return { results: [skipped("stack", "cloudformation:DescribeStacks")] };
    if (!(error instanceof StackNotFound)) return { results: [wrongBy("stack", error)] };
    const says = `there is no stack ${stackName} in ${aws.region}`;
    const fix =
      "npm run build && sam build && sam deploy --guided, or name it with --stack-name and --region";
    return { results: [wrong("stack", { code: error.code, says, fix })] };
  }
  const parts = await Promise.all([
    ...FUNCTIONS.map((output) => checkFunction(aws, stack.outputs[output])),
    ...RULES.map((output) => checkRule(aws, stack.outputs[output])),
    ...FAILURE_QUEUES.map((queue) => checkQueue(aws, { queue, url: stack.outputs[queue.output], stackName })),
    checkSweeps(aws, stack, now),
    checkEvents(aws, stack, now),
  ]);
  return { stack, results: [ok("stack", `${stackName} is deployed`), ...parts.flat()] };
}

const FUNCTIONS = ["RotationFunctionName", "ReconcileFunctionName"];
/** The second exists only with CloudTrailEvents. */
const RULES = ["LabelUpdatedRuleName", "CloudTrailRuleName"];

async function checkFunction(aws: AwsSession, name: string | undefined): Promise<CheckResult[]> {
  if (name === undefined) return [];
  const about = { about: name };
  return looked(aws, { check: "function", needs: "lambda:GetFunctionConfiguration", ...about }, async () => {
    const { LambdaClient, GetFunctionConfigurationCommand } = await import("@aws-sdk/client-lambda");
    const client = new LambdaClient(aws.client);
    try {
      const { State, StateReasonCode, LastUpdateStatus } = await client.send(
        new GetFunctionConfigurationCommand({ FunctionName: name }),
      );
      const isFine = (State ?? "Active") !== "Failed" && LastUpdateStatus !== "Failed";
      if (isFine) return [ok("function", "is there", about)];
      const says = `Lambda could not make it ready (${StateReasonCode ?? LastUpdateStatus})`;
      return [wrong("function", { code: "FUNCTION_NOT_READY", says, fix: REDEPLOY, ...about })];
    } catch (error) {
      if (errorNameOf(error) !== "ResourceNotFoundException") throw error;
      const says = "the stack names it, and Lambda does not have it";
      return [wrong("function", { code: "FUNCTION_NOT_FOUND", says, fix: REDEPLOY, ...about })];
    } finally {
      client.destroy();
    }
  });
}

const REDEPLOY = "npm run build && sam build && sam deploy";

async function checkRule(aws: AwsSession, name: string | undefined): Promise<CheckResult[]> {
  if (name === undefined) return [];
  const about = { about: name };
  return looked(aws, { check: "rule", needs: "events:DescribeRule", ...about }, async () => {
    const { EventBridgeClient, DescribeRuleCommand } = await import("@aws-sdk/client-eventbridge");
    const client = new EventBridgeClient(aws.client);
    try {
      const { State } = await client.send(new DescribeRuleCommand({ Name: name }));
      if (State !== "DISABLED") return [ok("rule", "is enabled", about)];
      const says = "it is disabled, so no event reaches the relay";
      const fix = `aws events enable-rule --name ${name} --region ${aws.region}`;
      return [wrong("rule", { code: "RULE_DISABLED", says, fix, ...about })];
    } catch (error) {
      if (errorNameOf(error) !== "ResourceNotFoundException") throw error;
      const says = "the stack names it, and EventBridge does not have it";
      return [wrong("rule", { code: "RULE_NOT_FOUND", says, fix: REDEPLOY, ...about })];
    } finally {
      client.destroy();
    }
  });
}

type QueueQuestion = { queue: FailureQueue; url: string | undefined; stackName: string };

async function checkQueue(aws: AwsSession, { queue, url, stackName }: QueueQuestion): Promise<CheckResult[]> {
  if (url === undefined) return [];
  const about = { about: queue.name };
  return looked(aws, { check: "queue", needs: "sqs:GetQueueAttributes", ...about }, async () => {
    const { SQSClient, GetQueueAttributesCommand } = await import("@aws-sdk/client-sqs");
    const client = new SQSClient(aws.client);
    try {
      const { Attributes = {} } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["ApproximateNumberOfMessages"] }),
      );
      const count = Number(Attributes.ApproximateNumberOfMessages ?? 0);
      if (count === 0) return [ok("queue", "is empty", about)];
      const says = `it holds about ${count}: ${queue.holds}`;
      const named = stackName === "secret-relay" ? "" : ` --stack-name ${stackName}`;
      const fix = `secret-relay redrive${named}, which says what they are; then the same with --replay`;
      return [wrong("queue", { code: "QUEUE_NOT_EMPTY", says, fix, ...about })];
    } finally {
      client.destroy();
    }
  });
}

/** Are sweeps on, and when was one complete? */
async function checkSweeps(
  aws: AwsSession,
  { outputs, parameters }: DeployedStack,
  now: number,
): Promise<CheckResult[]> {
  if (parameters.MetadataSweep === "DISABLED") {
    const says = "the sweep by metadata is off, so an event that is lost stays unnoticed";
    const fix = "sam deploy --parameter-overrides MetadataSweep=ENABLED";
    return [wrong("sweeps", { code: "SWEEPS_DISABLED", says, fix })];
  }
  const group = outputs.ReconcileLogGroupName;
  if (group === undefined) return [];
  const withinMs = 3 * 1_000 * Number(parameters.SweepPeriodSeconds ?? 300);
  return looked(aws, { check: "sweeps", needs: "logs:FilterLogEvents" }, async () => {
    const last = await lastLogged(aws, { group, code: "SWEEP_COMPLETED", sinceAt: now - withinMs });
    if (last !== undefined) return [ok("sweeps", `the last one was complete ${printAge(now - last)} ago`)];
    const says = `none was complete within ${printAge(withinMs)}, three times its period`;
    const fix = `sam remote invoke ReconcileFunction --event '{"sweep":"metadata"}', and read what it says`;
    return [wrong("sweeps", { code: "SWEEPS_SILENT", says, fix })];
  });
}

/** That none came lately is no mistake: perhaps nothing was rotated. What was missed shows as STALE. */
async function checkEvents(aws: AwsSession, { outputs }: DeployedStack, now: number): Promise<CheckResult[]> {
  const group = outputs.RotationLogGroupName;
  if (group === undefined) return [];
  return looked(aws, { check: "events", needs: "logs:FilterLogEvents" }, async () => {
    const last = await lastLogged(aws, { group, code: "SYNC_STARTED", sinceAt: now - DAY_MS });
    return [
      ok(
        "events",
        last === undefined ? "none within a day" : `the last one came ${printAge(now - last)} ago`,
      ),
    ];
  });
}

const DAY_MS = 86_400_000;

async function lastLogged(
  aws: AwsSession,
  { group, code, sinceAt }: { group: string; code: string; sinceAt: number },
): Promise<number | undefined> {
  const { CloudWatchLogsClient, paginateFilterLogEvents } = await import("@aws-sdk/client-cloudwatch-logs");
  const client = new CloudWatchLogsClient(aws.client);
  try {
    let last: number | undefined;
    // The code stands in no other field of a line, so the word is filter enough.
    const question = { logGroupName: group, filterPattern: `"${code}"`, startTime: sinceAt };
    for await (const { events = [] } of paginateFilterLogEvents({ client }, question)) {
      for (const { timestamp = 0, message = "" } of events) {
        if (message.includes(code)) last = Math.max(last ?? 0, timestamp);
      }
    }
    return last;
  } finally {
    client.destroy();
  }
}

/** A refusal is a check that could not be made; anything else went wrong. */
async function looked(
  aws: AwsSession,
  { check, needs, about }: { check: CheckName; needs: string; about?: string },
  run: () => Promise<CheckResult[]>,
): Promise<CheckResult[]> {
  try {
    return await run();
  } catch (error) {
    const of = about === undefined ? {} : { about };
    if (/^(AccessDenied|NotAuthorized|UnauthorizedOperation)/.test(errorNameOf(error))) {
      return [skipped(check, needs, of)];
    }
    return [wrongBy(check, aws.classify(`Looking at ${about ?? check}`, error), about)];
  }
}
