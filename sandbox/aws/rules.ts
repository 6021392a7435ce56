import { AwsError } from "./aws-error.ts";
import { type Operation, requiredText } from "./call.ts";

export type Rules = {
  readonly operations: ReadonlyMap<string, Operation>;
  /** Adds a rule with the ARNs of its targets, or replaces it. It forwards nothing: listeners subscribe to the events. */
  set(name: string, state: "ENABLED" | "DISABLED", targets?: readonly string[]): void;
};

/** EventBridge's DescribeRule and ListTargetsByRule, for rules that a test adds. */
export function createRules(home: { partition: string; region: string; accountId: string }): Rules {
  const rules = new Map<string, { state: string; targets: readonly string[] }>();
  const find = (name: string) => {
    const rule = rules.get(name);
    if (rule !== undefined) return rule;
    throw new AwsError("ResourceNotFoundException", `Rule ${name} does not exist on EventBus default.`);
  };
  const describe: Operation = ({ input }) => {
    const name = requiredText(input, "Name");
    const { state } = find(name);
    const arn = `arn:${home.partition}:events:${home.region}:${home.accountId}:rule/${name}`;
    return { Name: name, Arn: arn, State: state, EventBusName: "default" };
  };
  const listTargets: Operation = ({ input }) => {
    const { targets } = find(requiredText(input, "Rule"));
    return { Targets: targets.map((Arn, at) => ({ Id: `target-${at}`, Arn })) };
  };
  return {
    operations: new Map([
      ["DescribeRule", describe],
      ["ListTargetsByRule", listTargets],
    ]),
    set: (name, state, targets = []) => void rules.set(name, { state, targets }),
  };
}
