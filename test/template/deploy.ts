import { template as own, type Resource, type Template } from "./template.ts";

/** The resources of a stack with these parameters: conditions decided, functions such as Ref and Sub evaluated. */
export type Stack = {
  readonly resources: Record<string, Resource>;
  readonly outputs: Record<string, unknown>;
  /** Violated assertions of the Rules section; CloudFormation would not start. */
  readonly complaints: readonly string[];
};

/** The parameter that brings the webhook, with everything that belongs to it. */
export const WITH_WEBHOOK = {
  WebhookKeySecretArn: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:relay/webhook-keys-AbCdEf",
};

const NO_VALUE = Symbol("AWS::NoValue");

const PSEUDO_PARAMETERS: Record<string, unknown> = {
  "AWS::AccountId": "111122223333",
  "AWS::Region": "eu-west-1",
  "AWS::Partition": "aws",
  "AWS::StackName": "secret-relay",
  "AWS::URLSuffix": "amazonaws.com",
  "AWS::NoValue": NO_VALUE,
};

/**
 * Evaluates a template offline. Refs to resources become `<id>`, GetAtt becomes `<id>.<attribute>`. The account is
 * 111122223333 by default.
 */
export function deploy(
  given: Record<string, string | number> = {},
  template: Template = own,
  home: { readonly "AWS::AccountId"?: string; readonly "AWS::Region"?: string } = {},
): Stack {
  const unknown = Object.keys(given).filter((name) => !(name in template.Parameters));
  if (unknown.length > 0) throw new Error(`no such parameter: ${unknown.join(", ")}`);
  const defaults = Object.entries(template.Parameters).map(([name, parameter]) => [name, parameter.Default]);
  const values: Record<string, unknown> = {
    ...Object.fromEntries(defaults),
    ...given,
    ...PSEUDO_PARAMETERS,
    ...home,
  };

  const holds = (condition: string): boolean => {
    if (!(condition in template.Conditions)) throw new Error(`unknown condition ${condition}`);
    return resolve(template.Conditions[condition]) === true;
  };
  const present = <Part extends { readonly Condition?: string }>(parts: Record<string, Part>) =>
    Object.fromEntries(
      Object.entries(parts).filter(([, { Condition }]) => Condition === undefined || holds(Condition)),
    );

  const functions: Record<string, (argument: never) => unknown> = {
    Ref: (id: string) => lookUp(id),
    Condition: (condition: string) => holds(condition),
    "Fn::GetAtt": ([id, attribute]: [string, string]) => `${lookUp(id)}.${attribute}`,
    "Fn::If": ([condition, yes, no]: [string, unknown, unknown]) => resolve(holds(condition) ? yes : no),
    "Fn::Equals": ([one, other]: [unknown, unknown]) => resolve(one) === resolve(other),
    "Fn::Not": ([condition]: [unknown]) => resolve(condition) !== true,
    "Fn::And": (conditions: unknown[]) => conditions.every((condition) => resolve(condition) === true),
    "Fn::Or": (conditions: unknown[]) => conditions.some((condition) => resolve(condition) === true),
    "Fn::FindInMap": ([map, ...keys]: [string, unknown, unknown]) => {
      const [first, second] = keys.map((key) => String(resolve(key)));
      const found = template.Mappings?.[map]?.[first ?? ""]?.[second ?? ""];
      if (found === undefined) throw new Error(`the mapping ${map} has no ${first}, ${second}`);
      return found;
    },
    "Fn::Split": ([separator, text]: [string, unknown]) => String(resolve(text)).split(separator),
    "Fn::Join": ([separator, parts]: [string, unknown]) => (resolve(parts) as unknown[]).join(separator),
    "Fn::Contains": ([all, one]: [unknown, unknown]) => (resolve(all) as unknown[]).includes(resolve(one)),
    "Fn::Sub": (argument: string | [string, Record<string, unknown>]) => {
      const [text, own = {}] = typeof argument === "string" ? [argument] : argument;
      return text.replaceAll(/\$\{([^}.]+)(\.[^}]+)?\}/g, (_, id: string, attribute = "") => {
        if (id.startsWith("!")) return `\${${id.slice(1)}${attribute}}`; // written so to be left as it is
        return id in own ? String(resolve(own[id])) : `${lookUp(id)}${attribute}`;
      });
    },
  };
  return {
    resources: resolve(present(template.Resources)) as Stack["resources"],
    outputs: resolve(present(template.Outputs)) as Stack["outputs"],
    complaints: Object.values(template.Rules ?? {})
      .filter((rule) => rule.RuleCondition === undefined || resolve(rule.RuleCondition) === true)
      .flatMap((rule) => rule.Assertions.filter((assertion) => resolve(assertion.Assert) !== true))
      .map((assertion) => assertion.AssertDescription),
  };

  function resolve(part: unknown): unknown {
    if (Array.isArray(part)) return part.map(resolve).filter((item) => item !== NO_VALUE);
    if (typeof part !== "object" || part === null) return part;
    const [[name, argument] = [""], ...more] = Object.entries(part);
    const call = more.length === 0 ? functions[name] : undefined;
    if (call !== undefined) return call(argument as never);
    const resolved = Object.entries(part).map(([key, value]) => [key, resolve(value)] as const);
    return Object.fromEntries(resolved.filter(([, value]) => value !== NO_VALUE));
  }

  function lookUp(id: string): unknown {
    if (id in values) return values[id];
    if (id in template.Resources) return `<${id}>`;
    throw new Error(`${id} is neither a parameter nor a resource`);
  }
}
