import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { deploy } from "../../template/deploy.ts";
import { decide, type PolicyRequest } from "../../template/evaluate.ts";
import { actionsOf, EVERYTHING, policiesOf, resourcesOf, type Statement } from "../../template/statements.ts";

// The permissions of a role are compared with a list of the intended ones, for every possible call and not for examples:
// iamprover turns policies into formulas, and Z3 looks for a call that is allowed and not on the list. About 15 s.

let python: string;
beforeAll(() => {
  const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  python = join(execFileSync(here("install.sh"), ["iamprover"], { encoding: "utf8" }).trim(), "bin/python");
}, 300_000);

/** For each call, which may be a pattern: a call of that kind that is allowed, or null when there is none. */
function judge(statements: readonly Statement[], calls: readonly PolicyRequest[]): (PolicyRequest | null)[] {
  const script = fileURLToPath(new URL("judge.py", import.meta.url));
  const input = JSON.stringify({ statements, calls });
  return JSON.parse(execFileSync(python, [script], { input, encoding: "utf8", timeout: 60_000 }));
}

const stack = deploy(EVERYTHING);
const SECRETS = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:";
const KEY = EVERYTHING.SecretKmsKeyArns;
const throughSecretsManager = { StringLike: { "kms:ViaService": "secretsmanager.*.amazonaws.com" } };

type Allowed = {
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: object;
};
const BINDINGS = "arn:aws:s3:::<BindingsBucket>";
const readBindings: readonly Allowed[] = [
  { Action: "s3:GetObject", Resource: [`${BINDINGS}/bindings.json`, `${BINDINGS}/parts/*`] },
  { Action: "s3:ListBucket", Resource: BINDINGS },
];
const own = (name: string): Allowed[] => [
  { Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: `<${name}LogGroup>.Arn` },
];
const sync = (name: string): Allowed[] => [
  ...own(name),
  { Action: "sqs:SendMessage", Resource: `<${name}FailureQueue>.Arn` },
  {
    Action: ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
    Resource: [...["a-AbCdEf", "b-??????", "prod/*"]].map((name) => `${SECRETS}${name}`),
  },
  { Action: "kms:Decrypt", Resource: KEY, Condition: throughSecretsManager },
  { Action: "eks:DescribeCluster", Resource: EVERYTHING.ClusterArns.split(",") },
  { Action: "sts:AssumeRole", Resource: EVERYTHING.ClusterRoleArns },
];
/** Lambda's own, taken away from the code by a Deny: the third test below. */
const network: Allowed = {
  Action: [
    ...["ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"],
    ...["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"],
  ],
  Resource: "*",
};

/** Written down a second time, from what the functions are for. */
const SHOULD: Readonly<Record<string, readonly Allowed[]>> = {
  RotationRole: [
    ...sync("Rotation"),
    network,
    ...readBindings,
    { Action: "sqs:SendMessage", Resource: "<WorkQueue>.Arn" },
  ],
  ReconcileRole: [
    ...sync("Reconcile"),
    network,
    {
      Action: ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      Resource: "<WorkQueue>.Arn",
    },
    { Action: ["secretsmanager:ListSecrets", "secretsmanager:BatchGetSecretValue"], Resource: "*" },
    { Action: "s3:GetObjectVersion", Resource: `${BINDINGS}/bindings.json` },
    ...readBindings,
  ],
  WebhookRole: [
    ...own("Webhook"),
    { Action: "lambda:InvokeFunction", Resource: "<RotationFunction>.Arn" },
    { Action: "secretsmanager:GetSecretValue", Resource: EVERYTHING.WebhookKeySecretArn },
    {
      Action: "kms:Decrypt",
      Resource: KEY,
      Condition: {
        ...throughSecretsManager,
        StringEquals: { "kms:EncryptionContext:SecretARN": EVERYTHING.WebhookKeySecretArn },
      },
    },
    ...readBindings,
  ],
  SweepScheduleRole: [
    { Action: "lambda:InvokeFunction", Resource: "<ReconcileFunction>.Arn" },
    { Action: "sqs:SendMessage", Resource: "<ReconcileFailureQueue>.Arn" },
  ],
};
const FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:secret-relay-";
const ROLES = Object.keys(SHOULD);
const ANYTHING = { action: "*", resource: "*" };

/** The role's policies, with the intended permissions denied: any call that is still allowed is one too many. */
const beyond = (role: string, should = SHOULD[role] ?? []): Statement[] => [
  ...policiesOf(stack, role),
  ...should.map((one, at) => ({ Sid: `Should${at}`, Effect: "Deny", ...one }) as Statement),
];

it.each(ROLES)(
  "%s has no permission beyond its list",
  (role) => {
    expect(judge(beyond(role), [ANYTHING])).toEqual([null]);
  },
  60_000,
);

it.each(ROLES)(
  "the check works: with a shorter list for %s, it names a call",
  (role) => {
    const should = SHOULD[role] ?? [];
    for (const at of [0, 1, -1]) {
      const actions = [should.at(at)?.Action ?? []].flat().map((action) => action.toLowerCase());
      // Of one service: among all calls the solver looks for a minute.
      const service = `${actions[0]?.split(":")[0]}:*`;
      const [found] = judge(beyond(role, should.toSpliced(at, 1)), [{ action: service, resource: "*" }]);
      expect(actions).toContain(found?.action);
    }
  },
  120_000,
);

it.each(["Rotation", "Reconcile"])("the code of the %s function makes no call to EC2", (name) => {
  const context = { "lambda:SourceFunctionArn": `${FUNCTION}${name.toLowerCase()}` };
  expect(judge(policiesOf(stack, `${name}Role`), [{ action: "ec2:*", resource: "*", context }])).toEqual([
    null,
  ]);
});

describe("the evaluation of the policies", () => {
  const statements = ROLES.flatMap((role) => policiesOf(stack, role));
  const KEYS = ["kms:ViaService", "kms:EncryptionContext:SecretARN", "lambda:SourceFunctionArn"] as const;
  const NONE = Object.fromEntries(KEYS.map((key) => [key, ""]));
  const anyCall = fc.record({
    action: fc.constantFrom(...new Set(statements.flatMap(actionsOf)), "kms:Encrypt", "s3:PutObject"),
    resource: fc.constantFrom(
      ...new Set(statements.flatMap(resourcesOf).filter((resource) => !/[*?]/.test(resource))),
      ...[`${BINDINGS}/parts/0123.json`, `${BINDINGS}/parts`, `${BINDINGS}/other`],
      ...[`${SECRETS}prod/db-AbCdEf`, `${SECRETS}b-XyZ123`, `${SECRETS}b-XyZ1234`, `${SECRETS}other`],
    ),
    // All are pinned, since the solver would look for one that suits it.
    context: fc.record({
      [KEYS[0]]: fc.constantFrom("", "secretsmanager.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"),
      [KEYS[1]]: fc.constantFrom("", EVERYTHING.WebhookKeySecretArn, `${SECRETS}prod/db-AbCdEf`),
      [KEYS[2]]: fc.constantFrom("", ...["rotation", "webhook"].map((name) => `${FUNCTION}${name}`)),
    }),
  });

  it.each(ROLES)(
    "is the same for %s",
    (role) => {
      const policies = policiesOf(stack, role);
      const itself = policies.map((one) => ({
        action: actionsOf(one)[0] ?? "",
        resource: resourcesOf(one)[0] ?? "",
        context: NONE,
      }));
      const calls = [...itself, ...fc.sample(anyCall, { numRuns: 100, seed: 1 })];
      const ours = calls.map((call) => decide(policies, call) === "allowed");

      expect(judge(policies, calls).map((found) => found !== null)).toEqual(ours);

      expect(new Set(ours)).toEqual(new Set([true, false]));
    },
    120_000,
  );
});
