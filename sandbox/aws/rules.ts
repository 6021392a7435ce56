import { AwsError } from "./aws-error.ts";
import { type Operation, requiredText } from "./call.ts";

export type Rules = {
  readonly operations: ReadonlyMap<string, Operation>;
  /** Adds a rule, or changes its state. It forwards nothing: listeners subscribe to the events. */
  set(name: string, state: "ENABLED" | "DISABLED"): void;
};

/** EventBridge's DescribeRule, for rules that a test adds. */
export function createRules(home: { partition: string; region: string; accountId: string }): Rules {
  const rules = new Map<string, string>();
  const describe: Operation = ({ input }) => {
    const name = requiredText(input, "Name");
    const state = rules.get(name);
    if (state === undefined) {
      throw new AwsError("ResourceNotFoundException", `Rule ${name} does not exist on EventBus default.`);
    }
    const arn = `arn:${home.partition}:events:${home.region}:${home.accountId}:rule/${name}`;
    return { Name: name, Arn: arn, State: state, EventBusName: "default" };
  };
  return {
    operations: new Map([["DescribeRule", describe]]),
    set: (name, state) => void rules.set(name, state),
  };
}
