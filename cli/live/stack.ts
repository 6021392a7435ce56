import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { AwsSession } from "./aws-session.ts";

/** What the deployed stack says of itself: its outputs, by their names in template.yaml. */
export type StackOutputs = Readonly<Record<string, string>>;

export type DeployedStack = {
  readonly outputs: StackOutputs;
  /** What it was deployed with, by the parameters of template.yaml. */
  readonly parameters: Readonly<Record<string, string>>;
};

export async function readStackOutputs(aws: AwsSession, stackName: string): Promise<StackOutputs> {
  return (await readStack(aws, stackName)).outputs;
}

export async function readStack(aws: AwsSession, stackName: string): Promise<DeployedStack> {
  const { CloudFormationClient, DescribeStacksCommand } = await import("@aws-sdk/client-cloudformation");
  const client = new CloudFormationClient({ ...aws.client, maxAttempts: 3 });
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    const outputs = stack?.Outputs ?? [];
    const parameters = stack?.Parameters ?? [];
    return {
      outputs: Object.fromEntries(
        outputs.map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]),
      ),
      parameters: Object.fromEntries(
        parameters.map(({ ParameterKey = "", ParameterValue = "" }) => [ParameterKey, ParameterValue]),
      ),
    };
  } catch (error) {
    const name = errorNameOf(error);
    // CloudFormation has no code of its own for a stack that is not there.
    if (name === "ValidationError") throw new StackNotFound(stackName, aws.region);
    if (name.startsWith("AccessDenied")) throw new StackForbidden(stackName);
    throw aws.classify("Looking at the stack", error);
  } finally {
    client.destroy();
  }
}

/** There is no such stack in this account and Region. */
export class StackNotFound extends RelayError {
  override readonly name = "StackNotFound";
  readonly code = "STACK_NOT_FOUND";
  readonly retryable = false;
  constructor(stackName: string, region: string) {
    super(
      `There is no stack ${stackName} in ${region}. Name it with --stack-name, and its Region with --region; aws cloudformation list-stacks shows them.`,
    );
  }
}

/** cloudformation:DescribeStacks is not allowed. */
export class StackForbidden extends RelayError {
  override readonly name = "StackForbidden";
  readonly code = "STACK_FORBIDDEN";
  readonly retryable = false;
  constructor(stackName: string) {
    super(
      `You may not look at stack ${stackName} (cloudformation:DescribeStacks). Name the function itself instead: --function NAME.`,
    );
  }
}
