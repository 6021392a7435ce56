import { describe, expect, it } from "vitest";
import { parseTask } from "../../functions/reconcile/parse-task.ts";
import { deploy } from "./deploy.ts";
import { matches } from "./event-pattern.ts";
import { ofType } from "./template.ts";

const rules = ofType("AWS::Events::Rule");
const permissions = ofType("AWS::Lambda::Permission");

const SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";

describe("the native event", () => {
  const letsThrough = (parameters: Record<string, string>, detail: object) =>
    matches(deploy(parameters).resources.LabelUpdatedRule?.Properties.EventPattern, {
      source: "aws.secretsmanager",
      "detail-type": "Secret Label Updated",
      resources: [SECRET_ARN],
      detail,
    });

  it("is matched when AWSCURRENT moves", () => {
    const detail = { name: "prod/db", labelUpdated: "AWSCURRENT", versionId: "v2" };
    expect(letsThrough({}, detail)).toBe(true);
  });

  it("is not matched when another label moves", () => {
    expect(letsThrough({}, { name: "prod/db", labelUpdated: "BLUE", versionId: "v2" })).toBe(false);
  });

  it("matches moves of a custom label of the stack, and of AWSCURRENT", () => {
    const parameters = { FurtherStagingLabels: "GREEN,BLUE" };
    for (const labelUpdated of ["AWSCURRENT", "GREEN", "BLUE"]) {
      expect(letsThrough(parameters, { name: "prod/db", labelUpdated, versionId: "v2" })).toBe(true);
    }
    expect(letsThrough(parameters, { name: "prod/db", labelUpdated: "RED", versionId: "v2" })).toBe(false);
  });

  it.each([
    { given: { SecretNamePrefix: "prod/" }, name: "prod/db", taken: true },
    { given: { SecretNamePrefix: "prod/" }, name: "test/db", taken: false },
    { given: { SecretNamePrefix: "prod/", SecretArns: SECRET_ARN }, name: "test/db", taken: true },
  ])("of $name is matched: $taken, with $given", ({ given, name, taken }) => {
    expect(letsThrough(given, { name, labelUpdated: "AWSCURRENT", versionId: "v2" })).toBe(taken);
  });
});

describe("CloudTrail's events", () => {
  const pattern = deploy({ CloudTrailEvents: "true" }).resources.CloudTrailRule?.Properties.EventPattern;
  const call = (detail: object) => ({
    source: "aws.secretsmanager",
    "detail-type": "AWS API Call via CloudTrail",
    detail: { eventSource: "secretsmanager.amazonaws.com", ...detail },
  });
  const serviceEvent = (detail: object) => ({
    ...call(detail),
    "detail-type": "AWS Service Event via CloudTrail",
  });

  it("have no rule by default", () => {
    expect(deploy().resources.CloudTrailRule).toBeUndefined();
    expect(deploy().resources.CloudTrailRuleMayInvoke).toBeUndefined();
  });

  it.each([
    "PutSecretValue",
    "UpdateSecret",
    "UpdateSecretVersionStage",
    "CreateSecret",
    "RestoreSecret",
    "DeleteSecret",
  ])("are matched for a successful %s, and not for a failed one", (eventName) => {
    expect(matches(pattern, call({ eventName, responseElements: null }))).toBe(true);
    expect(matches(pattern, call({ eventName, errorCode: "AccessDenied" }))).toBe(false);
  });

  it.each(["GetSecretValue", "DescribeSecret", "RotateSecret", "TagResource", "RotationSucceeded"])(
    "are left alone for the call %s",
    (eventName) => {
      expect(matches(pattern, call({ eventName }))).toBe(false);
    },
  );

  it.each(["RotationSucceeded", "RotationFailed", "RotationAbandoned"])("are matched for %s", (eventName) => {
    // A recorded RotationFailed has an errorMessage and no errorCode.
    expect(matches(pattern, serviceEvent({ eventName, errorMessage: "in the setSecret step" }))).toBe(true);
    expect(matches(pattern, serviceEvent({ eventName, errorCode: "any" }))).toBe(true);
  });

  it.each(["RotationStarted", "TestRotationSucceeded", "SecretVersionDeletion"])(
    "are left alone for %s",
    (eventName) => {
      expect(matches(pattern, serviceEvent({ eventName }))).toBe(false);
    },
  );
});

describe("the event of a publication", () => {
  const created = (
    key: string,
    name = "<BindingsBucket>",
    detailType = "Object Created",
    reason = "PutObject",
  ) => ({
    version: "0",
    source: "aws.s3",
    "detail-type": detailType,
    resources: [`arn:aws:s3:::${name}`],
    detail: {
      version: "0",
      bucket: { name },
      object: { key, size: 7, etag: "e", "version-id": "v", sequencer: "0" },
      reason,
    },
  });
  const ruleOf = (parameters: Record<string, string> = {}) =>
    deploy(parameters).resources.BindingsPublishedRule?.Properties ?? {};

  it.each([
    { what: "the pointer is written", event: created("bindings.json"), isMatched: true },
    { what: "a part is written", event: created("parts/0123.json"), isMatched: false },
    { what: "the key is longer", event: created("bindings.json.bak"), isMatched: false },
    { what: "the pointer is below a prefix", event: created("a/bindings.json"), isMatched: false },
    { what: "the bucket is another one", event: created("bindings.json", "other"), isMatched: false },
    {
      what: "the pointer is deleted",
      event: created("bindings.json", "<BindingsBucket>", "Object Deleted", "DeleteObject"),
      isMatched: true,
    },
    {
      what: "an old version of the pointer expires",
      event: created("bindings.json", "<BindingsBucket>", "Object Deleted", "Lifecycle Expiration"),
      isMatched: false,
    },
  ])("is matched if $what: $isMatched", ({ event, isMatched }) => {
    expect(matches(ruleOf().EventPattern, event)).toBe(isMatched);
  });

  it("is matched for an existing bucket, if the stack is told one", () => {
    const { EventPattern } = ruleOf({ ExistingBindingsBucket: "kept" });
    expect(matches(EventPattern, created("bindings.json", "kept"))).toBe(true);
    expect(matches(EventPattern, created("bindings.json"))).toBe(false);
  });

  it.each([
    {
      it: "that names the publication",
      version: "version.2",
      task: { kind: "publication", publication: "version.2" },
    },
    // EventBridge leaves out what an event does not have.
    {
      it: "of all bindings, in a bucket without versions",
      version: "",
      task: { kind: "publication" },
    },
  ])("starts a sweep $it", ({ version, task }) => {
    const [target] = ruleOf().Targets as {
      InputTransformer: { InputPathsMap: Record<string, string>; InputTemplate: string };
    }[];
    const { InputPathsMap, InputTemplate = "" } = target?.InputTransformer ?? {};
    expect(InputPathsMap).toEqual({ publication: "$.detail.object.version-id" });
    expect(parseTask(JSON.parse(InputTemplate.replace("<publication>", version)))).toEqual(task);
  });
});

it("the template has rules and permissions", () => {
  expect(rules.length).toBeGreaterThan(0);
  expect(permissions.length).toBeGreaterThan(0);
});

describe.each(rules)("%s", (id, rule) => {
  const targets = rule.Properties.Targets as Record<string, unknown>[];
  const [fn, queue] =
    id === "BindingsPublishedRule"
      ? ["ReconcileFunction", "ReconcileFailureQueue"]
      : ["RotationFunction", "RotationFailureQueue"];

  it("is enabled and described", () => {
    expect(rule.Properties.State).toBe("ENABLED");
    expect(rule.Properties.Description).toMatch(/\w/);
  });

  it("can invoke its target function, under the same condition", () => {
    expect(targets.map((target) => target.Arn)).toEqual([{ "Fn::GetAtt": [fn, "Arn"] }]);
    const own = permissions.filter(
      ([, permission]) =>
        JSON.stringify(permission.Properties.SourceArn) === `{"Fn::GetAtt":["${id}","Arn"]}`,
    );
    expect(own).toHaveLength(1);
    const [, permission] = own[0] ?? [];
    expect(permission?.Properties.FunctionName).toEqual({ Ref: fn });
    expect(permission?.Properties.Principal).toBe("events.amazonaws.com");
    expect(permission?.Condition).toBe(rule.Condition);
  });

  it("retries events that Lambda's queue did not accept, for at least half an hour", () => {
    for (const target of targets) {
      const policy = target.RetryPolicy as Record<string, number>;
      expect(policy.MaximumEventAgeInSeconds).toBeGreaterThanOrEqual(1800);
      expect(policy.MaximumRetryAttempts).toBeGreaterThan(0);
    }
  });

  it("has a dead-letter queue that accepts events only from this rule", () => {
    for (const target of targets) {
      expect(target.DeadLetterConfig).toEqual({ Arn: { "Fn::GetAtt": [queue, "Arn"] } });
    }
    const policy = deploy({ CloudTrailEvents: "true" }).resources[`${queue}Policy`];
    const document = policy?.Properties.PolicyDocument as
      | { Statement: Record<string, unknown>[] }
      | undefined;
    const allowed = document?.Statement.filter((statement) => statement.Effect === "Allow") ?? [];
    expect(allowed).toHaveLength(1);
    expect(allowed[0]).toMatchObject({
      Principal: { Service: "events.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: `<${queue}>.Arn`,
    });
    const { ArnEquals } = (allowed[0]?.Condition ?? {}) as { ArnEquals?: Record<string, string | string[]> };
    expect([ArnEquals?.["aws:SourceArn"]].flat()).toContain(`<${id}>.Arn`);
  });
});

describe.each(permissions)("%s", (_id, permission) => {
  // With SourceAccount on the permission, EventBridge cannot invoke the function at all.
  it("names no source account", () => expect(permission.Properties).not.toHaveProperty("SourceAccount"));

  it("is for one rule or for one role", () => {
    const { Principal, SourceArn } = permission.Properties;
    if (SourceArn === undefined) expect(Principal).toEqual({ Ref: "DirectInvokerArn" });
  });
});
