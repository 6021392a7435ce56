import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { CommandError } from "../errors.ts";
import type { AwsSession } from "./aws-session.ts";

/** By the names of template.yaml. */
export type StackOutputs = Readonly<Record<string, string>>;

export type DeployedStack = {
  readonly outputs: StackOutputs;
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
    const { Outputs = [], Parameters = [] } = stack ?? {};
    return {
      outputs: Object.fromEntries(
        Outputs.map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]),
      ),
      parameters: Object.fromEntries(
        Parameters.map(({ ParameterKey = "", ParameterValue = "" }) => [ParameterKey, ParameterValue]),
      ),
    };
  } catch (error) {
    const name = errorNameOf(error);
    // CloudFormation has no error of its own for an unknown stack.
    if (name === "ValidationError") throw new StackNotFound(stackName, aws.region);
    if (name.startsWith("AccessDenied")) throw new StackForbidden(stackName);
    throw aws.classify("Describing the stack", error);
  } finally {
    client.destroy();
  }
}

/** The bucket with the published bindings. */
export function bucketOf({ outputs }: DeployedStack, stackName: string): string {
  const name = outputs.BindingsBucketName;
  if (name === undefined) throw new StackWithoutBucket(stackName);
  return name;
}

export class StackNotFound extends CommandError {
  readonly code = "STACK_NOT_FOUND";
  constructor(stackName: string, region: string) {
    super(
      `Stack ${stackName} does not exist in ${region}. Check --stack-name and --region; list the stacks: aws cloudformation list-stacks`,
    );
  }
}

/** The caller lacks cloudformation:DescribeStacks. */
export class StackForbidden extends CommandError {
  readonly code = "STACK_FORBIDDEN";
  constructor(stackName: string) {
    super(
      `You lack the permission cloudformation:DescribeStacks on stack ${stackName}. Name the bindings instead, --bindings FILE, and with --via-lambda the function: --function NAME.`,
    );
  }
}

/** The stack was deployed from another template, or from an older one. */
export class StackWithoutBucket extends CommandError {
  readonly code = "STACK_WITHOUT_BUCKET";
  constructor(stackName: string) {
    super(`Stack ${stackName} has no output BindingsBucketName. Deploy the current template: sam deploy.`);
  }
}
