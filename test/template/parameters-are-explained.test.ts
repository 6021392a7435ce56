import { describe, expect, it } from "vitest";
import { deploy } from "./deploy.ts";
import { idsIn, monitoring, type Template, template } from "./template.ts";

const templates: readonly Template[] = [template, monitoring];
const parameters = templates.flatMap((one) =>
  Object.entries(one.Parameters).map(([name, parameter]) => [name, parameter, one] as const),
);
const SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

it("the templates have parameters", () => expect(parameters.length).toBeGreaterThan(0));

describe.each(parameters)("%s", (name, parameter, of) => {
  it("is described in a sentence", () => expect(parameter.Description).toMatch(/^[A-Z].{20,}[.)]$/s));

  it("has a default, so that a first deployment needs as few values as possible", () => {
    expect(parameter.Default).toBeDefined();
  });

  it("is used", () => {
    const { Parameters: _, Metadata: __, Rules: ___, ...rest } = of;
    expect(idsIn(rest)).toContain(name);
  });

  it("is in exactly one group of the console", () => {
    const groups = of.Metadata["AWS::CloudFormation::Interface"]?.ParameterGroups ?? [];
    expect(groups.flatMap((group) => group.Parameters).filter((grouped) => grouped === name)).toEqual([name]);
  });

  it("describes the valid values if it refuses one", () => {
    if (parameter.AllowedPattern !== undefined) expect(parameter.ConstraintDescription).toMatch(/^must /);
  });

  it("accepts its own default", () => {
    if (parameter.AllowedPattern !== undefined) {
      expect(String(parameter.Default)).toMatch(new RegExp(parameter.AllowedPattern));
    }
    if (parameter.AllowedValues !== undefined) expect(parameter.AllowedValues).toContain(parameter.Default);
  });
});

const takes = [
  { name: "SecretArns", value: SECRET },
  { name: "SecretArns", value: `${SECRET.slice(0, -6)}??????` },
  {
    name: "SecretArns",
    value: `${SECRET},arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:rds!cluster-1-AbCdEf`,
  },
  { name: "SecretNamePrefix", value: "prod/payments-" },
  { name: "SecretKmsKeyArns", value: `${KEY},arn:aws:kms:eu-west-1:111122223333:key/mrk-1234` },
  { name: "ClusterArns", value: "arn:aws-us-gov:eks:us-gov-west-1:111122223333:cluster/blue_1" },
  { name: "ClusterRoleArns", value: "arn:aws:iam::111122223333:role/a/b,arn:aws:iam::444455556666:role/c" },
  {
    name: "PublisherArns",
    value: "arn:aws:iam::111122223333:role/ci/publisher,arn:aws-cn:iam::111122223333:role/b",
  },
  {
    name: "PublisherArns",
    value: "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Publisher_*",
  },
  { name: "ExistingBindingsBucket", value: "secret-relay-bindings-1a2b3c4d5e6f" },
  { name: "PermissionsBoundaryArn", value: "arn:aws:iam::aws:policy/PowerUserAccess" },
  { name: "WebhookKeySecretArn", value: SECRET },
  { name: "WebhookKeySecretKmsKeyArn", value: KEY },
  { name: "WebhookReservedConcurrency", value: "" },
  { name: "VpcSubnetIds", value: "subnet-0a1b2c3d,subnet-0123456789abcdef0" },
  { name: "AlarmTopicArn", value: "arn:aws:sns:eu-west-1:111122223333:on-call" },
  { name: "FurtherStagingLabels", value: "GREEN,release/2026-11" },
  { name: "MetadataSweepSchedule", value: "rate(1 hour)" },
  { name: "MetadataSweepSchedule", value: "cron(0/10 * * * ? *)" },
  { name: "ValuesSweepSchedule", value: "rate(12 hours)" },
  { name: "ValuesSweepSchedule", value: "cron(15 10 ? * MON-FRI *)" },
];
it.each(takes)("$name accepts $value", ({ name, value }) => expect(value).toMatch(patternOf(name)));

const refuses = [
  { name: "SecretArns", value: "*" },
  { name: "SecretArns", value: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:*" },
  { name: "SecretArns", value: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/??????" },
  { name: "SecretArns", value: `${SECRET}, ${SECRET}` },
  { name: "SecretNamePrefix", value: "prod*" },
  { name: "SecretKmsKeyArns", value: "arn:aws:kms:eu-west-1:111122223333:alias/app" },
  { name: "SecretKmsKeyArns", value: "arn:aws:kms:eu-west-1:111122223333:key/*" },
  { name: "ClusterArns", value: "arn:aws:eks:eu-west-1:111122223333:cluster/*" },
  { name: "ClusterRoleArns", value: "arn:aws:iam::111122223333:role/*" },
  { name: "ClusterRoleArns", value: "arn:aws:iam::111122223333:role/a," },
  { name: "PublisherArns", value: "*" },
  { name: "PublisherArns", value: "arn:aws:iam::*:role/publisher" },
  { name: "PublisherArns", value: "arn:aws:iam::111122223333:role/*" },
  { name: "PublisherArns", value: "arn:aws:iam::111122223333:role/a, arn:aws:iam::111122223333:role/b" },
  { name: "PublisherArns", value: "arn:aws:sts::111122223333:assumed-role/publisher/*" },
  { name: "PublisherArns", value: "arn:aws:iam::111122223333:root" },
  { name: "ExistingBindingsBucket", value: "arn:aws:s3:::bindings" },
  { name: "ExistingBindingsBucket", value: "s3://bindings" },
  { name: "DirectInvokerArn", value: "*" },
  { name: "ReservedConcurrency", value: "0" },
  { name: "WebhookKeySecretArn", value: `${SECRET.slice(0, -6)}??????` },
  { name: "WebhookKeySecretArn", value: `${SECRET},${SECRET}` },
  { name: "WebhookKeySecretArn", value: "relay/webhook-keys" },
  { name: "WebhookKeySecretKmsKeyArn", value: "*" },
  { name: "WebhookReservedConcurrency", value: "0" },
  { name: "AlarmTopicArn", value: "arn:aws:sns:eu-west-1:111122223333:on-call.fifo" },
  { name: "MetadataSweepSchedule", value: "" },
  { name: "MetadataSweepSchedule", value: "5 minutes" },
  { name: "MetadataSweepSchedule", value: "rate(1 minute)" },
  { name: "MetadataSweepSchedule", value: "at(2026-12-01T00:00:00)" },
  { name: "ValuesSweepSchedule", value: "rate(30 minutes)" },
  { name: "ValuesSweepSchedule", value: "cron(0 3 * * ?)" },
];
it.each(refuses)("$name refuses $value", ({ name, value }) => expect(value).not.toMatch(patternOf(name)));

it("a stack without permission for any secret is refused", () => {
  expect(deploy().complaints).toHaveLength(1);
  expect(deploy({ SecretArns: SECRET }).complaints).toEqual([]);
  expect(deploy({ SecretNamePrefix: "prod/" }).complaints).toEqual([]);
  expect(deploy({ SecretArns: SECRET, SecretNamePrefix: "prod/" }).complaints).toEqual([]);
  expect(deploy({ SourcePolicyArns: "arn:aws:iam::111122223333:policy/sources" }).complaints).toEqual([]);
});

it("FIPS endpoints are refused in a Region that lacks one of them", () => {
  const inRegion = (region: string) =>
    deploy({ SecretArns: SECRET, UseFipsEndpoint: "true" }, template, { "AWS::Region": region }).complaints;
  expect(inRegion("us-gov-west-1")).toEqual([]);
  expect(inRegion("eu-west-1")).toHaveLength(1);
});

it("publishers are refused for an existing bucket, which keeps its own policy", () => {
  const source = { SecretNamePrefix: "prod/" };
  const PublisherArns = "arn:aws:iam::111122223333:role/publisher";
  const ExistingBindingsBucket = "kept";
  expect(deploy({ ...source, PublisherArns, ExistingBindingsBucket }).complaints).toHaveLength(1);
  expect(deploy({ ...source, PublisherArns }).complaints).toEqual([]);
  expect(deploy({ ...source, ExistingBindingsBucket }).complaints).toEqual([]);
});

it("an incomplete VPC configuration is refused", () => {
  const source = { SecretNamePrefix: "prod/" };
  expect(deploy({ ...source, VpcSubnetIds: "subnet-0a" }).complaints).toHaveLength(1);
  expect(deploy({ ...source, VpcSecurityGroupIds: "sg-0a" }).complaints).toHaveLength(1);
  expect(deploy({ ...source, VpcSubnetIds: "subnet-0a", VpcSecurityGroupIds: "sg-0a" }).complaints).toEqual(
    [],
  );
});

it("the parameters that both stacks have mean the same, so that the values of one fit the other", () => {
  const shared = Object.entries(monitoring.Parameters).filter(([name]) => name in template.Parameters);
  expect(shared.length).toBeGreaterThan(4);
  for (const [name, { Description: _, ...limits }] of shared) {
    expect(template.Parameters[name], name).toMatchObject(limits);
  }
});

it.each(templates)("every condition is used", ({ Conditions, Resources, Outputs }) => {
  const used = idsIn({ Conditions, Resources, Outputs });
  for (const condition of Object.keys(Conditions)) expect(used).toContain(condition);
});

it.each(templates)("every output has a description", (one) => {
  const outputs = Object.entries(one.Outputs);
  expect(outputs.length).toBeGreaterThan(0);
  for (const [name, output] of outputs) expect(output.Description, name).toMatch(/^[A-Z].{10,}\.$/s);
});

function patternOf(name: string): RegExp {
  return new RegExp(template.Parameters[name]?.AllowedPattern ?? "a parameter without a pattern");
}
