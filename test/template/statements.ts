import { type Stack, WITH_WEBHOOK } from "./deploy.ts";

export type Statement = {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: unknown;
};

/** A stack with every option of the template. */
export const EVERYTHING = {
  SecretArns:
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf,arn:aws:secretsmanager:eu-west-1:111122223333:secret:b-??????",
  SecretNamePrefix: "prod/",
  SecretKmsKeyArns: "arn:aws:kms:eu-west-1:111122223333:key/k1",
  CloudTrailEvents: "true",
  PublisherArns:
    "arn:aws:iam::111122223333:role/ci/publisher,arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Publisher_*",
  ClusterArns:
    "arn:aws:eks:eu-west-1:111122223333:cluster/blue,arn:aws:eks:eu-west-1:111122223333:cluster/green",
  ClusterRoleArns: "arn:aws:iam::444455556666:role/relay",
  AccessEntryClusterName: "blue",
  ExternalSecretsByTag: "ENABLED",
  ...WITH_WEBHOOK,
  WebhookKeySecretKmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/k1", // the key of the sources
  VpcSubnetIds: "subnet-0a",
  VpcSecurityGroupIds: "sg-0a",
  PermissionsBoundaryArn: "arn:aws:iam::111122223333:policy/boundary",
  DirectInvokerArn: "arn:aws:iam::111122223333:role/rotator",
};

/** The resources that may hold a wildcard, each with the reason why AWS leaves no choice. */
export const WILDCARDS: Record<string, { readonly resource: RegExp; readonly because: string }> = {
  ReadSecretsByPrefix: {
    resource: /^arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod\/\*$/,
    because: "a prefix is a wildcard; it is bound to one account, one Region and the beginning of a name",
  },
  DescribeSecretsByPrefix: {
    resource: /^arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod\/\*$/,
    because: "the same prefix",
  },
  ReadSecretsByArn: {
    resource: /-\?{6}$/,
    because: "only where an operator wrote it, in place of the six random characters",
  },
  DescribeSecretsByArn: {
    resource: /-\?{6}$/,
    because: "the same ARNs",
  },
  ReadBindings: {
    resource: /^arn:aws:s3:::<BindingsBucket>\/parts\/\*$/,
    because: "the name of a part is the hash of its content; the bucket holds nothing but bindings",
  },
  ListSecretNames: {
    resource: /^\*$/,
    because: "AWS supports no resource for ListSecrets; it returns no value",
  },
  BatchReadSecrets: {
    resource: /^\*$/,
    because: "AWS supports no resource for BatchGetSecretValue; each secret in it also needs GetSecretValue",
  },
  AttachToVpc: {
    resource: /^\*$/,
    because: "Lambda makes the interfaces, so their ids are unknown, and the Describe calls know no resource",
  },
};

/** Every statement with its resource: a role, or a policy of a role or queue. */
export const statementsIn = (stack: Stack): [id: string, statement: Statement][] =>
  Object.entries(stack.resources).flatMap(([id, resource]) => {
    const inline = (resource.Properties.Policies ?? []) as { PolicyDocument: unknown }[];
    const documents = [resource.Properties.PolicyDocument, ...inline.map((policy) => policy.PolicyDocument)];
    return documents.flatMap((document) =>
      ((document as { Statement: Statement[] } | undefined)?.Statement ?? []).map(
        (statement): [string, Statement] => [id, statement],
      ),
    );
  });

export const actionsOf = (statement: Statement): string[] => [statement.Action].flat();
export const resourcesOf = (statement: Statement): string[] => [statement.Resource].flat();

/** The statements of the policy of a resource such as a bucket or a queue. */
export const statementsOfPolicy = (stack: Stack, policy: string): Statement[] =>
  statementsIn(stack).flatMap(([id, statement]) => (id === policy ? [statement] : []));

/** All policy statements of a role, inline and attached. */
export const policiesOf = (stack: Stack, role: string): Statement[] => {
  const managed = (stack.resources[role]?.Properties.ManagedPolicyArns ?? []) as readonly string[];
  return statementsIn(stack).flatMap(([id, statement]) =>
    id === role || managed.includes(`<${id}>`) || rolesOf(stack, id).includes(`<${role}>`) ? [statement] : [],
  );
};

/** The roles that have an inline policy in common. */
const rolesOf = (stack: Stack, policy: string): readonly string[] =>
  (stack.resources[policy]?.Properties.Roles ?? []) as readonly string[];

/** Lambda's calls with a function's role, for which our code has no call. */
export const DONE_BY_LAMBDA = ["WriteOwnLogs", "KeepFailedEvents", "TakeWork", "AttachToVpc"] as const;
