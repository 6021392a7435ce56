import { errorNameOf } from "../../shared/cluster/credentials.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { stackWords } from "../live/options.ts";
import { type DeployedStack, readStack, StackForbidden, StackNotFound } from "../live/stack.ts";
import { FAILURE_QUEUES, type FailureQueue } from "../redrive/failure-queues.ts";
import { printAge } from "../terminal/format.ts";
import { type CheckName, type CheckResult, ok, skipped, wrong, wrongBy } from "./check-result.ts";

export type StackCheck = { readonly results: readonly CheckResult[]; readonly stack?: DeployedStack };

/** Checks the stack, and everything in it that an event or a sweep depends on. */
export async function checkStack(aws: AwsSession, stackName: string, now: number): Promise<StackCheck> {
  let stack: DeployedStack;
  try {
    stack = await readStack(aws, stackName);
  } catch (error) {
    if (error instanceof StackForbidden) {
      return { results: [skipped("stack", "cloudformation:DescribeStacks"), ...skippedParts("the stack")] };
    }
    if (!(error instanceof StackNotFound)) {
      return { results: [wrongBy("stack", error), ...skippedParts("the stack")] };
    }
    const says = `stack ${stackName} does not exist in ${aws.region}`;
    const fix = `${REDEPLOY}, with the samconfig.toml of secret-relay init; or select another one with --stack-name and --region`;
    return { results: [wrong("stack", { code: error.code, says, fix }), ...skippedParts("the stack")] };
  }
  const parts = await Promise.all([
    ...FUNCTIONS.map((output) => checkFunction(aws, stack.outputs[output])),
    ...RULES.map((rule) => checkRule(aws, stack, rule)),
    ...FAILURE_QUEUES.map((queue) => checkQueue(aws, { queue, url: stack.outputs[queue.output], stackName })),
    checkSweeps(aws, stack, now),
    checkEvents(aws, stack, now),
  ]);
  return { stack, results: [ok("stack", `${stackName} is deployed`), ...parts.flat()] };
}

/** The rule by which the events of rotations reach the function. */
export const checkEventRule = (aws: AwsSession, stack: DeployedStack): Promise<CheckResult[]> =>
  checkRule(aws, stack, LABEL_UPDATED_RULE);

/** What cannot be checked without the stack. */
export const skippedParts = (needs: string): CheckResult[] =>
  (["function", "rule", "queue", "sweeps", "events"] as const).map((check) => skipped(check, needs));

const FUNCTIONS = ["RotationFunctionName", "ReconcileFunctionName"];

type RuleToCheck = {
  /** The outputs of the stack with the names of the rule and of the function that it invokes. */
  readonly output: string;
  readonly invokes: string;
  readonly consequence: string;
};

const NO_EVENT = "no event reaches the relay";
const LABEL_UPDATED_RULE: RuleToCheck = {
  output: "LabelUpdatedRuleName",
  invokes: "RotationFunctionArn",
  consequence: NO_EVENT,
};
const RULES: readonly RuleToCheck[] = [
  LABEL_UPDATED_RULE,
  // Only with CloudTrailEvents.
  { output: "CloudTrailRuleName", invokes: "RotationFunctionArn", consequence: NO_EVENT },
  {
    output: "BindingsPublishedRuleName",
    invokes: "ReconcileFunctionArn",
    consequence: "published bindings wait for the next sweep, and a deletion of them is not noticed",
  },
];

async function checkFunction(aws: AwsSession, name: string | undefined): Promise<CheckResult[]> {
  if (name === undefined) return [];
  const { LambdaClient, GetFunctionConfigurationCommand } = await import("@aws-sdk/client-lambda");
  const client = new LambdaClient(aws.client);
  const check = { check: "function", needs: "lambda:GetFunctionConfiguration", about: name } as const;
  return runCheck(aws, client, check, async () => {
    const { State, StateReasonCode, LastUpdateStatus } = await client.send(
      new GetFunctionConfigurationCommand({ FunctionName: name }),
    );
    if (State !== "Failed" && LastUpdateStatus !== "Failed") return ok("function", "exists", { about: name });
    const says = `Lambda could not prepare it (${StateReasonCode ?? LastUpdateStatus})`;
    return wrong("function", { code: "FUNCTION_NOT_READY", says, fix: REDEPLOY, about: name });
  });
}

const REDEPLOY = "npm run build && sam build && sam deploy";

/** Checks that a rule exists, is enabled, and has the function as a target. */
async function checkRule(
  aws: AwsSession,
  { outputs }: DeployedStack,
  { output, invokes, consequence }: RuleToCheck,
): Promise<CheckResult[]> {
  const name = outputs[output];
  if (name === undefined) return [];
  const { EventBridgeClient, DescribeRuleCommand, ListTargetsByRuleCommand } = await import(
    "@aws-sdk/client-eventbridge"
  );
  const client = new EventBridgeClient(aws.client);
  const needs = "events:DescribeRule and events:ListTargetsByRule";
  return runCheck(aws, client, { check: "rule", needs, about: name }, async () => {
    const { State } = await client.send(new DescribeRuleCommand({ Name: name }));
    if (State === "DISABLED") {
      const fix = `aws events enable-rule --name ${name} --region ${aws.region}`;
      const says = `it is disabled, so ${consequence}`;
      return wrong("rule", { code: "RULE_DISABLED", says, fix, about: name });
    }
    const wanted = outputs[invokes];
    const { Targets = [] } = await client.send(new ListTargetsByRuleCommand({ Rule: name }));
    if (wanted === undefined || Targets.some(({ Arn }) => Arn === wanted)) {
      return ok("rule", "is enabled", { about: name });
    }
    const says = `it does not invoke ${wanted}, so ${consequence}`;
    return wrong("rule", { code: "RULE_WITHOUT_TARGET", says, fix: RETARGET, about: name });
  });
}

/** CloudFormation does not put back what was changed by hand while the template stays the same. */
const RETARGET =
  "find what was changed by hand with aws cloudformation detect-stack-drift, and change it back";

type QueueToCheck = { queue: FailureQueue; url: string | undefined; stackName: string };

async function checkQueue(aws: AwsSession, { queue, url, stackName }: QueueToCheck): Promise<CheckResult[]> {
  if (url === undefined) return [];
  const about = queue.name;
  const { SQSClient, GetQueueAttributesCommand } = await import("@aws-sdk/client-sqs");
  const client = new SQSClient(aws.client);
  return runCheck(aws, client, { check: "queue", needs: "sqs:GetQueueAttributes", about }, async () => {
    const { Attributes = {} } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["ApproximateNumberOfMessages"] }),
    );
    const count = Number(Attributes.ApproximateNumberOfMessages ?? 0);
    if (count === 0) return ok("queue", "is empty", { about });
    const says = `it holds about ${count}: ${queue.holds}`;
    const fix = `secret-relay redrive${stackWords(stackName)}, which explains the messages; then the same with --replay`;
    return wrong("queue", { code: "QUEUE_NOT_EMPTY", says, fix, about });
  });
}

/** Checks that sweeps are enabled, and the time of the last complete one. */
async function checkSweeps(
  aws: AwsSession,
  { outputs, parameters }: DeployedStack,
  now: number,
): Promise<CheckResult[]> {
  if (parameters.MetadataSweep === "DISABLED") {
    const says = "the metadata sweep is disabled, so a lost event is not noticed";
    const fix = "sam deploy --parameter-overrides MetadataSweep=ENABLED";
    return [wrong("sweeps", { code: "SWEEPS_DISABLED", says, fix })];
  }
  const group = outputs.ReconcileLogGroupName;
  if (group === undefined) return [];
  const withinMs = 3 * 1_000 * Number(parameters.SweepPeriodSeconds ?? 300);
  return checkLog(
    aws,
    { check: "sweeps", group, code: "SWEEP_COMPLETED", sinceAt: now - withinMs },
    (last) => {
      if (last !== undefined) return ok("sweeps", `the last one completed ${printAge(now - last)} ago`);
      const says = `none completed within ${printAge(withinMs)}, three times its period`;
      const fix = `sam remote invoke ReconcileFunction --event '{"sweep":"metadata"}', and read its output`;
      return wrong("sweeps", { code: "SWEEPS_SILENT", says, fix });
    },
  );
}

/** No recent event is not an error, because there may have been no rotation. A missed event shows as STALE. */
async function checkEvents(aws: AwsSession, { outputs }: DeployedStack, now: number): Promise<CheckResult[]> {
  const group = outputs.RotationLogGroupName;
  if (group === undefined) return [];
  return checkLog(aws, { check: "events", group, code: "SYNC_STARTED", sinceAt: now - DAY_MS }, (last) =>
    ok("events", last === undefined ? "none within a day" : `the last one came ${printAge(now - last)} ago`),
  );
}

const DAY_MS = 86_400_000;

/** Finds the time of the last log line with a code. */
async function checkLog(
  aws: AwsSession,
  { check, group, code, sinceAt }: { check: CheckName; group: string; code: string; sinceAt: number },
  resultOf: (lastAt: number | undefined) => CheckResult,
): Promise<CheckResult[]> {
  const { CloudWatchLogsClient, paginateFilterLogEvents } = await import("@aws-sdk/client-cloudwatch-logs");
  const client = new CloudWatchLogsClient(aws.client);
  return runCheck(aws, client, { check, needs: "logs:FilterLogEvents" }, async () => {
    let last: number | undefined;
    // No other field of a line contains the code, so it is enough as a filter.
    const query = { logGroupName: group, filterPattern: `"${code}"`, startTime: sinceAt };
    for await (const { events = [] } of paginateFilterLogEvents({ client }, query)) {
      for (const { timestamp = 0, message = "" } of events) {
        if (message.includes(code)) last = Math.max(last ?? 0, timestamp);
      }
    }
    return resultOf(last);
  });
}

/** Without the permission, the result is unknown. A missing resource of the stack has its own code and fix. */
async function runCheck(
  aws: AwsSession,
  client: { destroy(): void },
  { check, needs, about }: { check: CheckName; needs: string; about?: string },
  run: () => Promise<CheckResult>,
): Promise<CheckResult[]> {
  const object = about === undefined ? {} : { about };
  try {
    return [await run()];
  } catch (error) {
    const name = errorNameOf(error);
    if (/^(AccessDenied|NotAuthorized|UnauthorizedOperation)/.test(name))
      return [skipped(check, needs, object)];
    if (name === "ResourceNotFoundException" && (check === "function" || check === "rule")) {
      const says = "the stack names it, but it does not exist";
      return [wrong(check, { code: `${check.toUpperCase()}_NOT_FOUND`, says, fix: REDEPLOY, ...object })];
    }
    return [wrongBy(check, aws.classify(`Checking ${about ?? check}`, error), about)];
  } finally {
    client.destroy();
  }
}
