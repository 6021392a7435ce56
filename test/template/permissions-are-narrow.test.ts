import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { INLINE_LISTS_CHARACTERS_MAX } from "../../cli/iam/stack-parameters.ts";
import { deploy, type Stack } from "./deploy.ts";
import { actionsOf, EVERYTHING, policiesOf, resourcesOf, statementsIn, WILDCARDS } from "./statements.ts";
import { ofType, template, templateText, urlTemplate, urlTemplateText } from "./template.ts";

const statementsOf = (stack = deploy(EVERYTHING)) => statementsIn(stack).map(([, statement]) => statement);
const allowedTo = (id: string, given: Record<string, string> = EVERYTHING) =>
  policiesOf(deploy(given), id).filter(({ Effect }) => Effect === "Allow");
const allowed = (given?: Record<string, string>) =>
  statementsOf(given && deploy(given)).filter((statement) => statement.Effect === "Allow");
const bySid = (role: string, sid: string, given?: Record<string, string>) =>
  allowedTo(role, given).find((statement) => statement.Sid === sid);

/** Of the functions that write to clusters, and of the public one. */
const SYNC_ROLES = ["RotationRole", "ReconcileRole"];
const FUNCTION_ROLES = [...SYNC_ROLES, "WebhookRole"];

it("the template has policy statements", () => expect(allowed().length).toBeGreaterThan(5));

it("there is no policy outside the resources that these tests check", () => {
  const roles = ofType("AWS::IAM::Role");
  expect(roles.length).toBeGreaterThan(0);
  const managed = ofType("AWS::IAM::ManagedPolicy").map(([id]) => `<${id}>`);
  const attached = roles.flatMap(
    ([id]) => (deploy(EVERYTHING).resources[id]?.Properties.ManagedPolicyArns ?? []) as string[],
  );
  expect([...new Set(attached)].toSorted()).toEqual(managed.toSorted());
  expect(ofType("AWS::IAM::Policy").map(([id]) => id)).toEqual(["SyncPolicy"]);
  for (const type of ["AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy"]) expect(ofType(type)).toEqual([]);
});

it("every function has one of the known roles", () => {
  const roles = ofType("AWS::Serverless::Function").map(
    ([, fn]) => (fn.Properties.Role as { "Fn::GetAtt": string[] })["Fn::GetAtt"][0],
  );
  expect(roles).toEqual(FUNCTION_ROLES);
});

const everyAllow = statementsIn(deploy(EVERYTHING)).flatMap(([id, statement]) =>
  statement.Effect === "Allow" ? [[`${id} ${statement.Sid}`, statement.Sid, statement] as const] : [],
);
describe.each(everyAllow)("%s", (_title, sid, statement) => {
  it("names its actions one by one", () => {
    for (const action of actionsOf(statement)) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
  });

  it("names its resources, or is a listed exception", () => {
    for (const resource of resourcesOf(statement)) {
      if (/[*?]/.test(resource)) expect(resource).toMatch(WILDCARDS[sid]?.resource ?? /^no wildcard$/);
    }
  });
});

it("every wildcard has an explanation beside it in the template", () => {
  const lines = `${templateText}\n${urlTemplateText}`.split("\n");
  const wild = lines.flatMap((line, at) => (/^\s+(Resource|Principal|Action): .*\*/.test(line) ? [at] : []));
  expect(wild.length).toBeGreaterThan(2);
  for (const at of wild) {
    const nearby = lines.slice(at - 3, at + 1).join("\n");
    expect(nearby, `line ${at + 1}`).toContain("#");
  }
});

it("every wildcard has a reason, and no reason is unused", () => {
  const wild = allowed().filter((statement) =>
    resourcesOf(statement).some((resource) => /[*?]/.test(resource)),
  );
  expect([...new Set(wild.map((statement) => statement.Sid))].sort()).toEqual(Object.keys(WILDCARDS).sort());
});

it("the roles permit little if no source and no cluster is named", () => {
  const sidsOf = (role: string) => allowedTo(role, { ValuesSweep: "DISABLED" }).map(({ Sid }) => Sid);
  expect(sidsOf("RotationRole")).toEqual([
    ...["WriteOwnLogs", "KeepFailedEvents", "ReadBindings", "ListBindings", "SendWork"],
  ]);
  expect(sidsOf("ReconcileRole")).toEqual([
    ...["WriteOwnLogs", "KeepFailedEvents", "TakeWork", "ReadEarlierGenerations", "ListSecretNames"],
    ...["ReadBindings", "ListBindings", "SendWork"],
  ]);
  expect(sidsOf("RotationFailureQueuePolicy")).toEqual(["RulesMaySend"]);
  expect(sidsOf("ReconcileFailureQueuePolicy")).toEqual(["PublishedRuleMaySend"]);
  expect(sidsOf("SweepScheduleRole")).toEqual(["StartSweeps", "KeepUnstartedSweeps"]);
});

it("the rotation function can read the tags of the named secrets only if ExternalSecrets are found by tag", () => {
  const described = (settings: object) =>
    allowedTo("RotationRole", { ...EVERYTHING, ...settings })
      .filter((one) => actionsOf(one).includes("secretsmanager:DescribeSecret"))
      .map(({ Sid, Resource }) => ({ Sid, Resource }));
  expect(described({ ExternalSecretsByTag: "DISABLED" })).toEqual([]);
  expect(described({ ExternalSecretsByTag: "ENABLED", SecretNamePrefix: "" })).toEqual([
    { Sid: "DescribeSecretsByArn", Resource: EVERYTHING.SecretArns.split(",") },
  ]);
  expect(described({ ExternalSecretsByTag: "ENABLED", SecretArns: "" })).toEqual([
    {
      Sid: "DescribeSecretsByPrefix",
      Resource: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/*",
    },
  ]);
});

describe.each(SYNC_ROLES)("%s", (role) => {
  const name = role.replace(/Role$/, "");

  it("can read only the values of the named secrets", () => {
    const readable = (given: Record<string, string>) =>
      allowedTo(role, given)
        .filter((one) => actionsOf(one).includes("secretsmanager:GetSecretValue"))
        .flatMap(resourcesOf);
    const named = EVERYTHING.SecretArns.split(",");
    const below = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/*";
    expect(readable({ SecretArns: EVERYTHING.SecretArns })).toEqual(EVERYTHING.SecretArns.split(","));
    expect(readable(EVERYTHING).toSorted()).toEqual([...named, below].toSorted());
  });

  it("can decrypt only with the named keys, and only through Secrets Manager", () => {
    expect(bySid(role, "DecryptSecrets")).toMatchObject({
      Action: "kms:Decrypt",
      Resource: [EVERYTHING.SecretKmsKeyArns],
      Condition: { StringLike: { "kms:ViaService": "secretsmanager.*.amazonaws.com" } },
    });
  });

  it("can look up the named clusters and assume the named roles", () => {
    expect(bySid(role, "FindClusters")).toMatchObject({
      Action: "eks:DescribeCluster",
      Resource: EVERYTHING.ClusterArns.split(","),
    });
    expect(bySid(role, "AssumeClusterRoles")).toMatchObject({
      Action: "sts:AssumeRole",
      Resource: [EVERYTHING.ClusterRoleArns],
    });
  });

  it("can write to its own log group and its own failure queue", () => {
    expect(bySid(role, "WriteOwnLogs")?.Resource).toBe(`<${name}LogGroup>.Arn`);
    expect(bySid(role, "KeepFailedEvents")).toMatchObject({
      Action: "sqs:SendMessage",
      Resource: `<${name}FailureQueue>.Arn`,
    });
  });

  it("can change network interfaces only in a VPC, and never from the function's own code", () => {
    expect(bySid(role, "AttachToVpc", { SecretNamePrefix: "prod/" })).toBeUndefined();
    const attach = bySid(role, "AttachToVpc");
    const guard = policiesOf(deploy(EVERYTHING), role).find(({ Effect }) => Effect === "Deny");
    expect(guard).toMatchObject({
      Sid: "KeepCodeOutOfVpcCalls",
      Effect: "Deny",
      Action: attach?.Action,
      Resource: "*",
      Condition: { ArnLike: { "lambda:SourceFunctionArn": "arn:aws:lambda:*:*:function:*" } },
    });
  });
});

describe("the webhook", () => {
  const webhook = allowedTo("WebhookRole");

  it("does not exist without a key", () => {
    const named = (stack: Stack) => Object.keys(stack.resources).filter((id) => id.startsWith("Webhook"));
    expect(named(deploy({ SecretNamePrefix: "prod/" }))).toEqual([]);
    expect(named(deploy(EVERYTHING)).length).toBeGreaterThan(4);
  });

  it("has six permissions, each on one resource or on the published bindings", () => {
    expect(webhook.map(({ Sid, Action, Resource }) => ({ Sid, Action, Resource }))).toEqual([
      {
        Sid: "ReadBindings",
        Action: "s3:GetObject",
        Resource: ["arn:aws:s3:::<BindingsBucket>/bindings.json", "arn:aws:s3:::<BindingsBucket>/parts/*"],
      },
      { Sid: "ListBindings", Action: "s3:ListBucket", Resource: "arn:aws:s3:::<BindingsBucket>" },
      {
        Sid: "WriteOwnLogs",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: "<WebhookLogGroup>.Arn",
      },
      { Sid: "InvokeRotation", Action: "lambda:InvokeFunction", Resource: "<RotationFunction>.Arn" },
      {
        Sid: "ReadSigningKeys",
        Action: "secretsmanager:GetSecretValue",
        Resource: EVERYTHING.WebhookKeySecretArn,
      },
      { Sid: "DecryptSigningKeys", Action: "kms:Decrypt", Resource: EVERYTHING.WebhookKeySecretKmsKeyArn },
    ]);
  });

  it("cannot read a source, for any parameters", () => {
    const readable = webhook.filter((one) =>
      actionsOf(one).some((action) => /^secretsmanager:/.test(action)),
    );
    expect(readable.flatMap(resourcesOf)).toEqual([EVERYTHING.WebhookKeySecretArn]);
    // Also not through a KMS key that it shares with sources.
    expect(bySid("WebhookRole", "DecryptSigningKeys")?.Condition).toEqual({
      StringEquals: { "kms:EncryptionContext:SecretARN": EVERYTHING.WebhookKeySecretArn },
      StringLike: { "kms:ViaService": "secretsmanager.*.amazonaws.com" },
    });
    expect(allowedTo("WebhookRole", { ...EVERYTHING, WebhookKeySecretKmsKeyArn: "" })).toHaveLength(5);
  });

  it("cannot reach a cluster: no access entry, no role to assume, no network", () => {
    const { resources } = deploy(EVERYTHING);
    const entries = ofType("AWS::EKS::AccessEntry").map(([id]) => resources[id]?.Properties.PrincipalArn);
    expect(entries.length).toBeGreaterThan(0);
    expect(entries).not.toContain("<WebhookRole>.Arn");
    expect(webhook.flatMap(actionsOf).filter((action) => /^(sts|eks|ec2):/.test(action))).toEqual([]);
    expect(resources.WebhookFunction?.Properties).not.toHaveProperty("VpcConfig");
  });

  it("has signing keys that the other functions cannot read", () => {
    for (const role of SYNC_ROLES) {
      expect(allowedTo(role).flatMap(resourcesOf)).not.toContain(EVERYTHING.WebhookKeySecretArn);
    }
  });

  it("can be called only through its URL", () => {
    const { resources } = deploy(EVERYTHING);
    const ofFunction = Object.values(resources).filter(
      ({ Type, Properties }) =>
        Type === "AWS::Lambda::Permission" && Properties.FunctionName === "<WebhookFunction>",
    );
    expect(ofFunction).toEqual([]);
    expect(resources.WebhookUrlStack?.Properties).toEqual({
      TemplateURL: "webhook-url.yaml",
      Parameters: { FunctionArn: "<WebhookFunction>.Arn" },
    });
    const FunctionName = { Ref: "FunctionArn" };
    expect(
      Object.values(urlTemplate.Resources).map(({ Type, Properties }) => ({ Type, ...Properties })),
    ).toEqual([
      { Type: "AWS::Lambda::Url", TargetFunctionArn: FunctionName, AuthType: "NONE" },
      {
        Type: "AWS::Lambda::Permission",
        Action: "lambda:InvokeFunctionUrl",
        FunctionName,
        Principal: "*",
        FunctionUrlAuthType: "NONE",
      },
      {
        Type: "AWS::Lambda::Permission",
        Action: "lambda:InvokeFunction",
        FunctionName,
        Principal: "*",
        InvokedViaFunctionUrl: true,
      },
    ]);
  });

  it("has an output with its URL", () => {
    const { WebhookUrl } = deploy(EVERYTHING).outputs as { WebhookUrl?: { Value: string } };
    expect(WebhookUrl?.Value).toBe("<WebhookUrlStack>.Outputs.FunctionUrl");
    expect(urlTemplate.Outputs.FunctionUrl?.Value).toEqual({ "Fn::GetAtt": ["WebhookUrl", "FunctionUrl"] });
    expect(deploy({ SecretNamePrefix: "prod/" }).outputs).not.toHaveProperty("WebhookUrl");
  });
});

describe("the sweep", () => {
  it("can read the metadata of the named secrets", () => {
    expect(bySid("ReconcileRole", "DescribeSecretsByArn")?.Resource).toEqual(
      bySid("ReconcileRole", "ReadSecretsByArn")?.Resource,
    );
    expect(bySid("ReconcileRole", "DescribeSecretsByPrefix")?.Resource).toEqual(
      bySid("ReconcileRole", "ReadSecretsByPrefix")?.Resource,
    );
  });

  it("can always read single values, and batches only if the values sweep is enabled", () => {
    const off = { ...EVERYTHING, ValuesSweep: "DISABLED" };
    expect(bySid("ReconcileRole", "BatchReadSecrets")?.Action).toBe("secretsmanager:BatchGetSecretValue");
    expect(bySid("ReconcileRole", "BatchReadSecrets", off)).toBeUndefined();
    expect(bySid("ReconcileRole", "ReadSecretsByArn", off)).toBeDefined();
    expect(bySid("ReconcileRole", "ReadSecretsByPrefix", off)).toBeDefined();
  });

  it("has all permissions of a rotation, for its repairs", () => {
    const ofRotation = allowedTo("RotationRole").filter(
      ({ Sid }) => !["WriteOwnLogs", "KeepFailedEvents"].includes(Sid),
    );
    expect(allowedTo("ReconcileRole")).toEqual(expect.arrayContaining(ofRotation));
  });
});

describe("queues", () => {
  const usersOf = (queue: string, action: RegExp) =>
    statementsIn(deploy(EVERYTHING)).flatMap(([id, statement]) =>
      statement.Effect === "Allow" &&
      resourcesOf(statement).some((resource) => resource === `<${queue}>.Arn` || resource === "*") &&
      actionsOf(statement).some((one) => action.test(one))
        ? [id]
        : [],
    );

  it("of work are filled by both functions, and read only by the reconcile function", () => {
    expect(usersOf("WorkQueue", /^sqs:SendMessage$/)).toEqual(["SyncPolicy"]);
    expect(usersOf("WorkQueue", /^sqs:(?!SendMessage$)/)).toEqual(["ReconcileRole"]);
    expect(bySid("ReconcileRole", "TakeWork")?.Action).toEqual([
      ...["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
    ]);
  });

  it.each([
    // The function, and the rules through the policy of the queue.
    { queue: "RotationFailureQueue", writers: ["RotationRole", "RotationFailureQueuePolicy"] },
    {
      queue: "ReconcileFailureQueue",
      writers: ["SweepScheduleRole", "ReconcileRole", "ReconcileFailureQueuePolicy"],
    },
    { queue: "WorkDeadLetterQueue", writers: [] },
  ])("such as $queue have no reader, and only these writers: $writers", ({ queue, writers }) => {
    expect(usersOf(queue, /^sqs:(?!SendMessage$)/)).toEqual([]);
    expect(usersOf(queue, /^sqs:SendMessage$/)).toEqual(writers);
  });
});

it("schedules can start the sweep and nothing else", () => {
  expect(bySid("SweepScheduleRole", "StartSweeps")).toMatchObject({
    Action: "lambda:InvokeFunction",
    Resource: "<ReconcileFunction>.Arn",
  });
  expect(bySid("SweepScheduleRole", "KeepUnstartedSweeps")).toMatchObject({
    Action: "sqs:SendMessage",
    Resource: "<ReconcileFailureQueue>.Arn",
  });
  expect(allowedTo("SweepScheduleRole")).toHaveLength(2);
});

it.each([
  [
    "writing or deleting secrets",
    /^secretsmanager:(?!(Get|BatchGet)SecretValue$|DescribeSecret$|ListSecrets$)/,
  ],
  ["encrypting or managing keys", /^kms:(?!Decrypt$)/],
  ["changing clusters", /^eks:(?!DescribeCluster$)/],
  ["anything in IAM", /^iam:/],
  ["creating log groups", /^logs:CreateLogGroup$/],
  ["writing bindings, or anything else in S3", /^s3:(?!(GetObject|GetObjectVersion|ListBucket)$)/],
  ["emptying or changing queues", /^sqs:(?!(Send|Receive|Delete)Message$|GetQueueAttributes$)/],
])("does not allow %s", (_what, forbidden) => {
  expect(
    allowed()
      .flatMap(actionsOf)
      .filter((action) => forbidden.test(action)),
  ).toEqual([]);
});

it.each([
  [
    "any call to Secrets Manager but reading a value, or tags where a stack wants that",
    /^secretsmanager:(?!(GetSecretValue|DescribeSecret)$)/,
  ],
  ["reading queues", /^sqs:(?!SendMessage$)/],
])("does not allow the rotation function %s", (_what, forbidden) => {
  expect(
    allowedTo("RotationRole")
      .flatMap(actionsOf)
      .filter((action) => forbidden.test(action)),
  ).toEqual([]);
});

describe("the limits of IAM", () => {
  const CHARACTERS = { allInlinePoliciesOfARole: 10_240, managedPolicy: 6_144 };
  const sizeOf = (document: unknown) => JSON.stringify(document).length;

  it("a full list of sources and the longest prefix fit into their managed policies", () => {
    // The shortest name makes the longest list of quoted ARNs.
    for (const name of ["a", "a".repeat(512)]) {
      const arn = `arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:${name}-??????`;
      const SecretArns = Array(Math.floor((4_096 + 1) / (arn.length + 1)))
        .fill(arn)
        .join(",");
      expect(Buffer.byteLength(SecretArns)).toBeLessThanOrEqual(4_096);
      const { resources } = deploy({ SecretArns, SecretNamePrefix: "a".repeat(512) });
      for (const id of ["SourceValuesPolicy", "SourceMetadataPolicy"]) {
        expect(sizeOf(resources[id]?.Properties.PolicyDocument)).toBeLessThan(CHARACTERS.managedPolicy);
      }
    }
  });

  it("the lists of keys, clusters and roles have room in the inline policies, with every option", () => {
    const full = (length: number) => "x".repeat(length);
    const { resources } = deploy({
      ...EVERYTHING,
      SecretNamePrefix: full(512),
      SecretKmsKeyArns: full(INLINE_LISTS_CHARACTERS_MAX),
      ClusterArns: "",
      ClusterRoleArns: "",
    });
    for (const fn of ["Rotation", "Reconcile"]) {
      const Policies = resources[`${fn}Role`]?.Properties.Policies as { PolicyDocument: unknown }[];
      const documents = [
        ...Policies.map((policy) => policy.PolicyDocument),
        resources.SyncPolicy?.Properties.PolicyDocument,
      ];
      // Names that CloudFormation makes, at their longest.
      const text = documents
        .map((document) => JSON.stringify(document))
        .join("")
        .replaceAll(/<\w+>\.Arn/g, full(160))
        .replaceAll(/<\w+>/g, full(63));
      expect(text.length).toBeLessThan(CHARACTERS.allInlinePoliciesOfARole);
    }
  });

  it("a role has at most eight managed policies, and ten are possible", () => {
    const SourcePolicyArns = Array(5).fill("arn:aws:iam::111122223333:policy/sources").join(",");
    expect(SourcePolicyArns).toMatch(
      new RegExp(template.Parameters.SourcePolicyArns?.AllowedPattern ?? "none"),
    );
    expect(`${SourcePolicyArns},${SourcePolicyArns}`).not.toMatch(
      new RegExp(template.Parameters.SourcePolicyArns?.AllowedPattern ?? ""),
    );
    const { resources } = deploy({ ...EVERYTHING, SourcePolicyArns });
    for (const role of FUNCTION_ROLES) {
      const attached = (resources[role]?.Properties.ManagedPolicyArns ?? []) as unknown[];
      expect(attached.length).toBeGreaterThan(0);
      expect(attached.length).toBeLessThanOrEqual(8);
    }
  });
});

it("policies of the account's own go to the two functions that sync, and to no other role", () => {
  const own = "arn:aws:iam::111122223333:policy/sources-a";
  const { resources, complaints } = deploy({ SourcePolicyArns: `${own},${own.replace(/a$/, "b")}` });
  expect(complaints).toEqual([]);
  for (const [id] of ofType("AWS::IAM::Role")) {
    const attached = (resources[id]?.Properties.ManagedPolicyArns ?? []) as string[];
    expect(attached.filter((arn) => arn.startsWith("arn:"))).toEqual(
      SYNC_ROLES.includes(id) ? [own, own.replace(/a$/, "b")] : [],
    );
  }
});

it("every role has the permissions boundary if one is given", () => {
  for (const [id] of ofType("AWS::IAM::Role")) {
    const boundary = deploy(EVERYTHING).resources[id]?.Properties.PermissionsBoundary;
    expect(boundary).toBe(EVERYTHING.PermissionsBoundaryArn);
    const unbounded = deploy({ ...EVERYTHING, PermissionsBoundaryArn: "" }).resources[id]?.Properties;
    expect(unbounded).not.toHaveProperty("PermissionsBoundary");
  }
});

it("only Lambda can assume the roles of the functions, and only the scheduler can assume the role of the schedules", () => {
  for (const [id, role] of ofType("AWS::IAM::Role")) {
    const Service = FUNCTION_ROLES.includes(id) ? "lambda.amazonaws.com" : "scheduler.amazonaws.com";
    const { Statement } = role.Properties.AssumeRolePolicyDocument as { Statement: unknown[] };
    expect(Statement).toHaveLength(1);
    expect(Statement[0]).toMatchObject({ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" });
  }
});

it("the access entry has its own group and no access policy", () => {
  const entries = ofType("AWS::EKS::AccessEntry");
  const principals = entries.map(([, entry]) => entry.Properties.PrincipalArn);
  expect(principals).toEqual(SYNC_ROLES.map((role) => ({ "Fn::GetAtt": [role, "Arn"] })));
  for (const [id, entry] of entries) {
    expect(entry.Properties.KubernetesGroups).toEqual([{ Ref: "RelayName" }]);
    expect(entry.Properties).not.toHaveProperty("AccessPolicies");
    expect(deploy().resources[id]).toBeUndefined();
    expect(deploy(EVERYTHING).resources[id]?.Properties.ClusterName).toBe("blue");
  }
  expect(template.Outputs.KubernetesGroup?.Value).toEqual({ Ref: "RelayName" });
});

it.each([
  { output: "AccessEntryCommand", role: "RotationRole" },
  { output: "ReconcileAccessEntryCommand", role: "ReconcileRole" },
])("$output gives a further cluster the same entry", ({ output, role }) => {
  expect(deploy(EVERYTHING).outputs[output]).toEqual({
    Description: expect.any(String),
    Value: `aws eks create-access-entry --cluster-name CLUSTER --principal-arn <${role}>.Arn --kubernetes-groups secret-relay`,
  });
});

it("the stack has outputs for the operation of the sweep", () => {
  const told = (output: string) => (deploy().outputs[output] as { Value?: unknown } | undefined)?.Value;
  expect(told("ReconcileFunctionArn")).toBe("<ReconcileFunction>.Arn");
  expect(told("ReconcileFunctionName")).toBe("<ReconcileFunction>");
  expect(told("ReconcileRoleArn")).toBe("<ReconcileRole>.Arn");
  const urls = Object.values(deploy().outputs).map((output) => (output as { Value: unknown }).Value);
  for (const [queue] of ofType("AWS::SQS::Queue")) expect(urls).toContain(`<${queue}>`);
});

describe("docs/security.md", () => {
  const doc = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");

  it("has a row for every statement, and none for a removed one", () => {
    const rows = [...doc.matchAll(/^\|`([A-Z]\w+)`\|/gm)].map(([, sid]) => String(sid));
    const withoutTags = deploy({ ...EVERYTHING, ExternalSecretsByTag: "DISABLED" });
    const all = [...statementsOf(), ...statementsOf(withoutTags)];
    const sids = new Set(all.map((statement) => statement.Sid));
    expect(rows.sort()).toEqual([...sids].sort());
  });

  it("names in each row the actions and resources of its statement", () => {
    const rows = [...doc.matchAll(/^\|`([A-Z]\w+)`\|[^|]*\|([^|]*)\|/gm)];
    const told = rows.flatMap(([, sid, allows = ""]) => {
      const actions = [...allows.matchAll(/`([a-z0-9]+:\w+)`/g)].map(([, action]) => String(action));
      return actions.length === 0 ? [] : [{ sid, actions: actions.sort() }];
    });
    expect(told.length).toBeGreaterThan(15);
    for (const { sid, actions } of told) {
      const statements = statementsOf().filter(({ Sid }) => Sid === sid);
      for (const statement of statements) expect(actionsOf(statement).sort(), sid).toEqual(actions);
    }
  });

  const examples = [...doc.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, text]) =>
    String(text)
      .split(/^---$/m)
      .map((manifest) => parse(manifest)),
  );
  const roles = examples.filter((manifest) => manifest.kind === "Role");
  const [needed, ...optional] = roles;

  it("has a Role with named Secrets and only get, create and patch", () => {
    expect(needed.metadata.name).toBe("secret-relay");
    expect(needed.rules).toHaveLength(1);
    expect(needed.rules[0]).toMatchObject({
      apiGroups: [""],
      resources: ["secrets"],
      verbs: ["get", "create", "patch"],
    });
    expect(needed.rules[0].resourceNames.length).toBeGreaterThan(0);
  });

  it("has optional Roles: one verb each, with names where Kubernetes evaluates them", () => {
    expect(optional.map((role) => role.metadata.name)).toEqual(["secret-relay-delete", "secret-relay-list"]);
    for (const role of optional) {
      expect(role.rules).toHaveLength(1);
      const verb = role.metadata.name.replace("secret-relay-", "");
      expect(role.rules[0]).toMatchObject({ apiGroups: [""], resources: ["secrets"], verbs: [verb] });
      // A list request has no name; a delete request has one.
      expect(role.rules[0].resourceNames !== undefined).toBe(verb === "delete");
    }
  });

  it("binds the needed one to the group", () => {
    const [binding, ...others] = examples.filter((manifest) => manifest.kind === "RoleBinding");
    expect(others).toEqual([]);
    expect(binding.roleRef.name).toBe(needed.metadata.name);
    expect(binding.subjects).toEqual([
      { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "secret-relay" },
    ]);
  });
});
