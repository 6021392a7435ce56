import { randomUUID } from "node:crypto";
import { AwsError } from "./aws-error.ts";
import { type Operation, requiredText } from "./call.ts";

export type Stacks = {
  readonly operations: ReadonlyMap<string, Operation>;
  add(
    name: string,
    outputs: Readonly<Record<string, string>>,
    parameters?: Readonly<Record<string, string>>,
  ): void;
};

/** DescribeStacks, for stacks that a test adds; nothing is deployed. */
export function createStacks(
  { partition, region, accountId }: { partition: string; region: string; accountId: string },
  now: () => number,
): Stacks {
  const stacks = new Map<string, object>();
  const describe: Operation = ({ input }) => {
    const name = requiredText(input, "StackName");
    const stack = stacks.get(name);
    if (stack === undefined) {
      throw new AwsError("ValidationError", `Stack with id ${name} does not exist`);
    }
    return { Stacks: { member: [stack] } };
  };
  return {
    operations: new Map([["DescribeStacks", describe]]),
    add: (name, outputs, parameters = {}) => {
      const member = Object.entries(outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
      stacks.set(name, {
        StackId: `arn:${partition}:cloudformation:${region}:${accountId}:stack/${name}/${randomUUID()}`,
        StackName: name,
        StackStatus: "UPDATE_COMPLETE",
        CreationTime: new Date(now()).toISOString(),
        Outputs: { member },
        Parameters: {
          member: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => {
            return { ParameterKey, ParameterValue };
          }),
        },
      });
    },
  };
}
