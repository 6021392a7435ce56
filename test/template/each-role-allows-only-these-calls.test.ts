import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deploy, type Stack } from "./deploy.ts";
import { type Decision, decide, type PolicyRequest } from "./evaluate.ts";
import { EVERYTHING, policiesOf, resourcesOf, type Statement, statementsIn } from "./statements.ts";
import { urlTemplate } from "./template.ts";

// The template's policies, evaluated as by IAM: by their effect, not their text.

const stack = deploy(EVERYTHING);
const ROLES = ["RotationRole", "ReconcileRole", "WebhookRole", "SweepScheduleRole"] as const;
type Role = (typeof ROLES)[number];

const FUNCTIONS = "arn:aws:lambda:eu-west-1:111122223333:function:";

/** A call from the function's own code, or from the schedule. */
const ask = (role: Role, request: PolicyRequest, of: Stack = stack): Decision =>
  decide(policiesOf(of, role), {
    ...request,
    context: { "lambda:SourceFunctionArn": `${FUNCTIONS}${role}`, ...request.context },
  });
const idsOf = (type: string) =>
  Object.entries(stack.resources).flatMap(([id, { Type }]) => (Type === type ? [id] : []));

const home = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:";
const [namedByArn = ""] = EVERYTHING.SecretArns.split(",");
const signingKeys = EVERYTHING.WebhookKeySecretArn;

it("the stack has exactly these roles", () =>
  expect(idsOf("AWS::IAM::Role").sort()).toEqual([...ROLES].sort()));

describe("secrets:", () => {
  const readers = (resource: string, action = "secretsmanager:GetSecretValue") =>
    ROLES.filter((role) => ask(role, { action, resource }) === "allowed");

  it.each([
    { what: "a source that is named", resource: namedByArn, who: ["RotationRole", "ReconcileRole"] },
    {
      what: "a source with an unknown suffix",
      resource: `${home}b-Xy12Zz`,
      who: ["RotationRole", "ReconcileRole"],
    },
    {
      what: "a source with the prefix",
      resource: `${home}prod/db-AbCdEf`,
      who: ["RotationRole", "ReconcileRole"],
    },
    { what: "the signing keys", resource: signingKeys, who: ["WebhookRole"] },
    { what: "a secret whose name begins like a named one", resource: `${home}b-side-AbCdEf`, who: [] },
    { what: "a secret with the prefix inside its name", resource: `${home}team/prod/db-AbCdEf`, who: [] },
    {
      what: "a prefix of another account",
      resource: `${home.replace("1111", "4444")}prod/db-AbCdEf`,
      who: [],
    },
    {
      what: "a prefix of another Region",
      resource: `${home.replace("west-1", "west-2")}prod/db-AbCdEf`,
      who: [],
    },
  ])("$what is read by $who", ({ resource, who }) => {
    expect(readers(resource)).toEqual(who);
  });

  it("no role reads any other secret in the account", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9/_+=.@-]{1,40}$/),
        fc.stringMatching(/^[A-Za-z0-9]{6}$/),
        (name, six) => {
          fc.pre(!name.startsWith("prod/") && !["a", "b", "relay/webhook-keys"].includes(name));
          expect(readers(`${home}${name}-${six}`)).toEqual([]);
        },
      ),
    );
  });

  it("the webhook function cannot read or list a source of any name", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("", "prod/", "a", "b"),
        fc.stringMatching(/^[A-Za-z0-9/-]{0,40}$/),
        (start, rest) => {
          for (const action of ["GetSecretValue", "BatchGetSecretValue", "DescribeSecret", "ListSecrets"]) {
            const resource = `${home}${start}${rest}`;
            fc.pre(resource !== signingKeys);
            expect(ask("WebhookRole", { action: `secretsmanager:${action}`, resource })).toBe("not allowed");
          }
        },
      ),
    );
  });

  it.each([
    "PutSecretValue",
    "UpdateSecret",
    "DeleteSecret",
    "PutResourcePolicy",
    "UpdateSecretVersionStage",
    "TagResource",
  ])("no role has %s", (action) => {
    expect(readers(namedByArn, `secretsmanager:${action}`)).toEqual([]);
    expect(readers(signingKeys, `secretsmanager:${action}`)).toEqual([]);
  });
});

describe("KMS keys:", () => {
  const key = EVERYTHING.SecretKmsKeyArns;
  const through = (service: string, secret = namedByArn) => ({
    "kms:ViaService": service,
    "kms:EncryptionContext:SecretARN": secret,
  });
  const users = (context: Record<string, string>, action = "kms:Decrypt", resource = key) =>
    ROLES.filter((role) => ask(role, { action, resource, context }) === "allowed");

  it("the key of a source is used through Secrets Manager, in any Region", () => {
    expect(users(through("secretsmanager.eu-west-1.amazonaws.com"))).toEqual([
      "RotationRole",
      "ReconcileRole",
    ]);
    expect(users(through("secretsmanager.us-east-1.amazonaws.com"))).toEqual([
      "RotationRole",
      "ReconcileRole",
    ]);
  });

  it("the webhook function uses a shared key only for its own secret", () => {
    expect(users(through("secretsmanager.eu-west-1.amazonaws.com", signingKeys))).toContain("WebhookRole");
    expect(users({ "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com" })).not.toContain(
      "WebhookRole",
    );
  });

  it.each([
    { what: "without any service", context: {} },
    { what: "through S3", context: through("s3.eu-west-1.amazonaws.com") },
    { what: "through a service with a similar name", context: through("secretsmanager.example.com") },
  ])("no role uses the key $what", ({ context }) => expect(users(context)).toEqual([]));

  it.each(["kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:ReEncryptFrom", "kms:PutKeyPolicy"])(
    "no role has %s",
    (action) => expect(users(through("secretsmanager.eu-west-1.amazonaws.com"), action)).toEqual([]),
  );

  it("no role uses another key", () => {
    expect(
      users(through("secretsmanager.eu-west-1.amazonaws.com"), "kms:Decrypt", key.replace("k1", "k2")),
    ).toEqual([]);
  });
});

describe("queues:", () => {
  const ACTIONS = [
    "SendMessage",
    "ReceiveMessage",
    "DeleteMessage",
    "GetQueueAttributes",
    "ChangeMessageVisibility",
    "PurgeQueue",
    "DeleteQueue",
    "SetQueueAttributes",
    "AddPermission",
  ];
  const MAY: Readonly<Record<string, Readonly<Partial<Record<Role, readonly string[]>>>>> = {
    RotationFailureQueue: { RotationRole: ["SendMessage"] },
    ReconcileFailureQueue: { ReconcileRole: ["SendMessage"], SweepScheduleRole: ["SendMessage"] },
    WorkQueue: {
      RotationRole: ["SendMessage"],
      ReconcileRole: ["SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"],
    },
    WorkDeadLetterQueue: {}, // SQS moves shards there itself
  };

  it("the stack has exactly these queues", () =>
    expect(idsOf("AWS::SQS::Queue").sort()).toEqual(Object.keys(MAY).sort()));

  it.each(Object.entries(MAY))(
    "%s is used only by its own function or schedule, with the necessary actions",
    (queue, may) => {
      const used = ROLES.flatMap((role) => {
        const actions = ACTIONS.filter(
          (action) => ask(role, { action: `sqs:${action}`, resource: `<${queue}>.Arn` }) === "allowed",
        );
        return actions.length === 0 ? [] : [[role, actions]];
      });
      expect(Object.fromEntries(used)).toEqual(may);
    },
  );

  const queuePolicies = Object.values(stack.resources)
    .filter(({ Type }) => Type === "AWS::SQS::QueuePolicy")
    .flatMap(({ Properties }) => {
      const { Statement } = Properties.PolicyDocument as { Statement: Statement[] };
      return (Properties.Queues as string[]).map((queue) => [queue, Statement] as const);
    });

  it("each queue has a policy", () => {
    expect(queuePolicies.map(([queue]) => queue).sort()).toEqual(
      Object.keys(MAY)
        .map((id) => `<${id}>`)
        .sort(),
    );
  });

  it.each(queuePolicies)("%s accepts no call without TLS, from any caller", (queue, statements) => {
    for (const action of ACTIONS) {
      const request = { action: `sqs:${action}`, resource: `${queue}.Arn` };
      const plain = { "aws:SecureTransport": "false", "aws:SourceArn": "<LabelUpdatedRule>.Arn" };
      expect(decide(statements, { ...request, context: plain })).toBe("denied by a statement");
      expect(decide(statements, { ...request, context: { "aws:SecureTransport": "true" } })).toBe(
        "not allowed",
      );
    }
  });

  it("the queue of failed sweeps accepts messages of a rule only from the one on publications", () => {
    const [, statements = []] = queuePolicies.find(([queue]) => queue === "<ReconcileFailureQueue>") ?? [];
    const send = (sourceArn: string) =>
      decide(statements, {
        action: "sqs:SendMessage",
        resource: "<ReconcileFailureQueue>.Arn",
        context: { "aws:SecureTransport": "true", "aws:SourceArn": sourceArn },
      });
    expect(send("<BindingsPublishedRule>.Arn")).toBe("allowed");
    for (const other of ["<LabelUpdatedRule>.Arn", "arn:aws:events:eu-west-1:444455556666:rule/theirs"]) {
      expect(send(other)).toBe("not allowed");
    }
  });

  it("the queue of failed events accepts messages of a rule only from those of this stack", () => {
    const [, statements = []] = queuePolicies.find(([queue]) => queue === "<RotationFailureQueue>") ?? [];
    const send = (sourceArn: string) =>
      decide(statements, {
        action: "sqs:SendMessage",
        resource: "<RotationFailureQueue>.Arn",
        context: { "aws:SecureTransport": "true", "aws:SourceArn": sourceArn },
      });
    expect([send("<LabelUpdatedRule>.Arn"), send("<CloudTrailRule>.Arn")]).toEqual(["allowed", "allowed"]);
    expect(send("arn:aws:events:eu-west-1:444455556666:rule/theirs")).toBe("not allowed");
  });
});

describe("the published bindings:", () => {
  const bucket = "arn:aws:s3:::<BindingsBucket>";
  const functions = ["RotationRole", "ReconcileRole", "WebhookRole"];
  const who = (action: string, resource: string) =>
    ROLES.filter((role) => ask(role, { action: `s3:${action}`, resource }) === "allowed");

  it.each(["bindings.json", "parts/0123456789abcdef0123456789abcdef.json"])(
    "%s is read by each function",
    (key) => {
      expect(who("GetObject", `${bucket}/${key}`)).toEqual(functions);
    },
  );

  it("an absent object is reported as absent to each function", () => {
    expect(who("ListBucket", bucket)).toEqual(functions);
  });

  it("only the reconcile function reads earlier versions, and only of the pointer", () => {
    expect(who("GetObjectVersion", `${bucket}/bindings.json`)).toEqual(["ReconcileRole"]);
    expect(who("GetObjectVersion", `${bucket}/parts/x.json`)).toEqual([]);
  });

  it.each([
    { what: "another object of the bucket", resource: `${bucket}/other.json` },
    { what: "an object whose name begins like the pointer", resource: `${bucket}/bindings.json.bak` },
    { what: "an object of another bucket", resource: "arn:aws:s3:::other/bindings.json" },
    { what: "a bucket whose name begins alike", resource: `${bucket}-2/bindings.json` },
  ])("no role reads $what", ({ resource }) => expect(who("GetObject", resource)).toEqual([]));

  it.each([
    ...["PutObject", "DeleteObject", "DeleteObjectVersion", "ReplicateObject"],
    ...["PutBucketPolicy", "DeleteBucket", "PutLifecycleConfiguration", "PutBucketVersioning"],
  ])("no role has %s", (action) => {
    for (const resource of [bucket, `${bucket}/bindings.json`, `${bucket}/parts/x.json`]) {
      expect(who(action, resource)).toEqual([]);
    }
  });
});

describe("functions:", () => {
  it.each([
    { fn: "RotationFunction", who: ["WebhookRole"] },
    { fn: "ReconcileFunction", who: ["SweepScheduleRole"] },
    { fn: "WebhookFunction", who: [] },
  ])("$fn is invoked by $who", ({ fn, who }) => {
    const invokers = ROLES.filter(
      (role) => ask(role, { action: "lambda:InvokeFunction", resource: `<${fn}>.Arn` }) === "allowed",
    );
    expect(invokers).toEqual(who);
  });

  it.each([
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "AddPermission",
    "GetFunction",
    "PutFunctionConcurrency",
  ])("no role has %s", (action) => {
    for (const fn of idsOf("AWS::Serverless::Function")) {
      for (const role of ROLES) {
        expect(ask(role, { action: `lambda:${action}`, resource: `<${fn}>.Arn` })).toBe("not allowed");
      }
    }
  });
});

describe("network interfaces:", () => {
  const request = {
    action: "ec2:DeleteNetworkInterface",
    resource: "arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-0a",
  };

  it.each(["RotationRole", "ReconcileRole"] as const)(
    "Lambda can attach them with the %s, and the function's code cannot",
    (role) => {
      expect(decide(policiesOf(stack, role), request)).toBe("allowed");
      expect(ask(role, request)).toBe("denied by a statement");
    },
  );

  it.each(["WebhookRole", "SweepScheduleRole"] as const)("%s has no permission for them", (role) => {
    expect(decide(policiesOf(stack, role), request)).toBe("not allowed");
  });
});

it.each(ROLES)("%s cannot extend its permissions: no IAM, no other role, no other log group", (role) => {
  const others = [
    { action: "iam:PutRolePolicy", resource: `<${role}>.Arn` },
    { action: "iam:PassRole", resource: `<${role}>.Arn` },
    { action: "sts:AssumeRole", resource: "arn:aws:iam::111122223333:role/admin" },
    { action: "sts:AssumeRole", resource: `<${role}>.Arn` },
    { action: "eks:CreateAccessEntry", resource: EVERYTHING.ClusterArns.split(",")[0] ?? "" },
    { action: "eks:DescribeCluster", resource: "arn:aws:eks:eu-west-1:111122223333:cluster/other" },
    { action: "logs:CreateLogGroup", resource: "arn:aws:logs:eu-west-1:111122223333:log-group:other" },
    ...idsOf("AWS::Logs::LogGroup")
      .filter((id) => id !== role.replace(/Role$/, "LogGroup"))
      .flatMap((id) =>
        ["PutLogEvents", "FilterLogEvents"].map((action) => ({
          action: `logs:${action}`,
          resource: `<${id}>.Arn`,
        })),
      ),
  ];
  for (const request of others) expect(ask(role, request), JSON.stringify(request)).toBe("not allowed");
});

describe("services", () => {
  type Trust = {
    readonly Principal?: { readonly Service?: string };
    readonly Condition?: Record<string, object>;
  };
  const trusts = Object.entries(stack.resources).flatMap(([id, { Type, Properties }]) => {
    const documents = [Properties.AssumeRolePolicyDocument, Properties.PolicyDocument].flatMap(
      (document) => (document as { Statement: Trust[] } | undefined)?.Statement ?? [],
    );
    const permission =
      Type === "AWS::Lambda::Permission" && String(Properties.Principal).endsWith(".amazonaws.com");
    return [
      ...documents.flatMap(({ Principal, Condition = {} }) =>
        Principal?.Service === undefined
          ? []
          : [{ id, service: Principal.Service, keys: Object.values(Condition).flatMap(Object.keys) }],
      ),
      ...(permission
        ? [
            {
              id,
              service: String(Properties.Principal),
              keys: "SourceArn" in Properties ? ["aws:SourceArn"] : [],
            },
          ]
        : []),
    ];
  });

  it("are trusted only for resources of this stack, so that no other caller can use them", () => {
    // A function can only have a role of its own account, so no foreign function can have these.
    const lambda = trusts.filter(({ service }) => service === "lambda.amazonaws.com");
    expect(lambda.map(({ id }) => id)).toEqual(["RotationRole", "ReconcileRole", "WebhookRole"]);
    const others = trusts.filter((trust) => !lambda.includes(trust));
    expect(others.length).toBeGreaterThan(3);
    for (const { id, keys } of others) expect(keys, id).toContain("aws:SourceArn");
  });

  it("only the URL of the webhook is public", () => {
    const open = ({ resources }: Pick<Stack, "resources">) =>
      Object.entries(resources).flatMap(([id, { Type, Properties }]) => {
        const documents = [Properties.AssumeRolePolicyDocument, Properties.PolicyDocument].flatMap(
          (document) =>
            (document as { Statement: (Statement & { Principal?: unknown })[] } | undefined)?.Statement ?? [],
        );
        const isOpen =
          (Type === "AWS::Lambda::Permission" && Properties.Principal === "*") ||
          documents.some(
            ({ Effect, Principal }) => Effect === "Allow" && /"?\*"?/.test(JSON.stringify(Principal ?? "")),
          );
        return isOpen ? [id] : [];
      });
    expect(open(stack)).toEqual([]);
    expect(open({ resources: urlTemplate.Resources })).toEqual([
      "WebhookUrlMayBeCalled",
      "WebhookUrlMayInvoke",
    ]);
  });
});

describe("with any choice of parameters", () => {
  const CHOICES = {
    SecretArns: EVERYTHING.SecretArns,
    SecretNamePrefix: EVERYTHING.SecretNamePrefix,
    SecretKmsKeyArns: EVERYTHING.SecretKmsKeyArns,
    ExternalSecretsByTag: "ENABLED",
    ValuesSweep: "ENABLED",
    ClusterArns: EVERYTHING.ClusterArns,
    ClusterRoleArns: EVERYTHING.ClusterRoleArns,
    WebhookKeySecretArn: EVERYTHING.WebhookKeySecretArn,
    WebhookKeySecretKmsKeyArn: EVERYTHING.WebhookKeySecretKmsKeyArn,
    VpcSubnetIds: EVERYTHING.VpcSubnetIds, // with VpcSecurityGroupIds: a rule of the template says so
  };
  const names = Object.keys(CHOICES) as (keyof typeof CHOICES)[];
  type Given = Partial<Record<keyof typeof CHOICES, string>>;
  const everyChoice = Array.from({ length: 2 ** names.length }, (_, bits) =>
    Object.fromEntries(names.filter((_, at) => bits & (1 << at)).map((name) => [name, CHOICES[name]])),
  ) as Given[];
  const deployWith = ({ VpcSubnetIds, ...given }: Given) =>
    deploy({
      ...{ ExternalSecretsByTag: "DISABLED", ValuesSweep: "DISABLED", ...given },
      ...(VpcSubnetIds && { VpcSubnetIds, VpcSecurityGroupIds: EVERYTHING.VpcSecurityGroupIds }),
    });

  /** Statement -> the parameters that it requires. */
  const BINDINGS = { ReadBindings: [], ListBindings: [] } as const;
  const SOURCES = {
    ReadSecretsByArn: ["SecretArns"],
    ReadSecretsByPrefix: ["SecretNamePrefix"],
    DecryptSecrets: ["SecretKmsKeyArns"],
    FindClusters: ["ClusterArns"],
    AssumeClusterRoles: ["ClusterRoleArns"],
    AttachToVpc: ["VpcSubnetIds"],
    KeepCodeOutOfVpcCalls: ["VpcSubnetIds"],
  } as const;
  type Need = keyof Given;
  const holds = (need: Need, given: Given) => given[need] !== undefined;
  const NEEDS: Readonly<Record<Role, Readonly<Record<string, readonly Need[]>>>> = {
    RotationRole: {
      ...{ WriteOwnLogs: [], KeepFailedEvents: [], SendWork: [], ...BINDINGS, ...SOURCES },
      DescribeSecretsByArn: ["SecretArns", "ExternalSecretsByTag"],
      DescribeSecretsByPrefix: ["SecretNamePrefix", "ExternalSecretsByTag"],
    },
    ReconcileRole: {
      ...{
        WriteOwnLogs: [],
        KeepFailedEvents: [],
        SendWork: [],
        TakeWork: [],
        ListSecretNames: [],
        ...BINDINGS,
        ReadEarlierGenerations: [],
        ...SOURCES,
      },
      DescribeSecretsByArn: ["SecretArns"],
      DescribeSecretsByPrefix: ["SecretNamePrefix"],
      BatchReadSecrets: ["ValuesSweep"],
    },
    WebhookRole: {
      WriteOwnLogs: ["WebhookKeySecretArn"],
      ReadBindings: ["WebhookKeySecretArn"],
      ListBindings: ["WebhookKeySecretArn"],
      InvokeRotation: ["WebhookKeySecretArn"],
      ReadSigningKeys: ["WebhookKeySecretArn"],
      DecryptSigningKeys: ["WebhookKeySecretArn", "WebhookKeySecretKmsKeyArn"],
    },
    SweepScheduleRole: { StartSweeps: [], KeepUnstartedSweeps: [] },
  };

  it("each role has exactly the statements of the given parameters, and each statement has a resource", () => {
    expect(everyChoice).toHaveLength(1_024);
    for (const given of everyChoice) {
      const made = deployWith(given);
      for (const role of ROLES) {
        const statements = policiesOf(made, role);
        const wanted = Object.entries(NEEDS[role]).flatMap(([sid, needed]) =>
          needed.every((need) => holds(need, given)) ? [sid] : [],
        );
        expect(statements.map(({ Sid }) => Sid).sort(), JSON.stringify({ role, given })).toEqual(
          wanted.sort(),
        );
      }
      for (const [id, statement] of statementsIn(made)) {
        const resources = resourcesOf(statement);
        expect(resources.length, id).toBeGreaterThan(0);
        for (const resource of resources) {
          expect(resource, `${id} ${statement.Sid}`).toMatch(/^(arn:|<\w+>\.Arn(\/\*)?$|\*$)/);
          const [, named] = /^<(\w+)>/.exec(resource) ?? [];
          if (named !== undefined) expect(Object.keys(made.resources), id).toContain(named);
        }
      }
    }
  }, 60_000);

  it("the invoker, the access entry and the boundary each depend only on their own parameter", () => {
    const others = {
      CloudTrailEvents: "true",
      AccessEntryClusterName: "blue",
      PermissionsBoundaryArn: EVERYTHING.PermissionsBoundaryArn,
      DirectInvokerArn: EVERYTHING.DirectInvokerArn,
      LogKmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/k3",
    };
    const keys = Object.keys(others) as (keyof typeof others)[];
    for (let bits = 0; bits < 2 ** keys.length; bits += 1) {
      const has = (name: keyof typeof others) => (bits & (1 << keys.indexOf(name))) > 0;
      const made = deploy({
        SecretNamePrefix: "prod/",
        ...Object.fromEntries(keys.filter(has).map((name) => [name, others[name]])),
      });
      const is = (id: string) => id in made.resources;
      expect({
        cloudTrail: is("CloudTrailRuleMayInvoke"),
        entries: [is("ClusterAccessEntry"), is("ReconcileClusterAccessEntry")],
        direct: is("DirectInvokerMayInvoke"),
        bounded: ROLES.filter((role) => is(role)).map(
          (role) => made.resources[role]?.Properties.PermissionsBoundary,
        ),
        logs: made.resources.RotationLogGroup?.Properties.KmsKeyId,
        statements: policiesOf(made, "RotationRole").map(({ Sid }) => Sid),
      }).toEqual({
        cloudTrail: has("CloudTrailEvents"),
        entries: [has("AccessEntryClusterName"), has("AccessEntryClusterName")],
        direct: has("DirectInvokerArn"),
        bounded: Array(3).fill(has("PermissionsBoundaryArn") ? others.PermissionsBoundaryArn : undefined),
        logs: has("LogKmsKeyArn") ? others.LogKmsKeyArn : undefined,
        statements: [
          ...["WriteOwnLogs", "KeepFailedEvents", "ReadBindings", "ListBindings"],
          ...["ReadSecretsByPrefix", "SendWork"],
        ],
      });
    }
  });
});
