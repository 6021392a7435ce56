import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploy, type Stack } from "../../template/deploy.ts";
import {
  actionsOf,
  EVERYTHING,
  policiesOf,
  resourcesOf,
  type Statement,
  statementsIn,
  WILDCARDS,
} from "../../template/statements.ts";
import { type Resource, type Template, template } from "../../template/template.ts";
import { copyRepository, type RepositoryCopy } from "./copy-of-the-repository.ts";

// SAM can add roles, policies and permissions that are not in the template. So this repeats the claims of
// test/template for the template of a release, which SAM's own translator makes, without a request to AWS.

let copy: RepositoryCopy;
let transformed: Template;
let stack: Stack;

beforeAll(async () => {
  copy = copyRepository();
  await copy.release();
  transformed = JSON.parse(
    readFileSync(join(copy.folder, "dist/release/secret-relay.template.json"), "utf8"),
  );
  stack = deploy({ ...EVERYTHING, CodeBucket: "code" }, transformed);
}, 600_000);
afterAll(() => copy?.remove());

const resources = () => Object.entries(stack.resources);
const ofType = (type: string) => resources().filter(([, resource]) => resource.Type === type);
const idsOf = (type: string, from: Record<string, Resource>) =>
  Object.entries(from).flatMap(([id, resource]) => (resource.Type === type ? [id] : []));
const allows = () =>
  statementsIn(stack).flatMap(([id, statement]) =>
    statement.Effect === "Allow" ? [{ id, statement, of: `${id} ${statement.Sid}` }] : [],
  );
const allowedTo = (role: string) => policiesOf(stack, role).filter(({ Effect }) => Effect === "Allow");
/** Who may do it to a resource, by a policy of their own or one of the resource. */
const usersOf = (resource: string, action: RegExp) =>
  allows().flatMap(({ id, statement }) =>
    actionsOf(statement).some((one) => action.test(one)) &&
    resourcesOf(statement).some((one) => one === resource || one === "*")
      ? [id]
      : [],
  );
const roleOf = (fn: string) => String(stack.resources[fn]?.Properties.Role).replace(/^<(\w+)>\.Arn$/, "$1");

it("the transformed template has Lambda functions, schedules and an event source", () => {
  expect(idsOf("AWS::Serverless::Function", stack.resources)).toEqual([]);
  expect(idsOf("AWS::Lambda::Function", stack.resources)).toEqual(
    idsOf("AWS::Serverless::Function", template.Resources),
  );
  expect(ofType("AWS::Scheduler::Schedule")).toHaveLength(2);
  expect(ofType("AWS::Lambda::EventSourceMapping")).toHaveLength(1);
});

describe("SAM adds", () => {
  it.each([
    ...["AWS::IAM::Role", "AWS::IAM::Policy", "AWS::Lambda::Permission", "AWS::SQS::QueuePolicy"],
    ...["AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::IAM::ManagedPolicy"],
  ])("no %s", (type) => {
    const written = idsOf(type, template.Resources);
    expect(written.length).toBeGreaterThan(0);
    expect(idsOf(type, stack.resources)).toEqual(written);
  });

  it("no other kind of policy, and no managed one of another stack", () => {
    for (const type of ["AWS::IAM::RolePolicy", "AWS::SNS::TopicPolicy"]) expect(ofType(type)).toEqual([]);
    const own = idsOf("AWS::IAM::ManagedPolicy", template.Resources).map((id) => `<${id}>`);
    for (const [id, role] of ofType("AWS::IAM::Role")) {
      for (const arn of (role.Properties.ManagedPolicyArns ?? []) as string[]) expect(own, id).toContain(arn);
    }
  });

  it("no statement: each one is in the original template", () => {
    expect(allows().length).toBeGreaterThan(20);
    expect(statementsIn(stack)).toEqual(statementsIn(deploy(EVERYTHING)));
  });
});

it("a wildcard is used only if AWS requires it, and each has its reason", () => {
  const isWild = (text: string) => /[*?]/.test(text);
  const wild = allows().filter(({ statement }) =>
    [...resourcesOf(statement), ...actionsOf(statement)].some(isWild),
  );
  expect(wild.length).toBeGreaterThan(3);
  for (const { statement, of } of wild) {
    expect(actionsOf(statement).filter(isWild), of).toEqual([]);
    for (const resource of resourcesOf(statement).filter(isWild)) {
      expect(resource, of).toMatch(WILDCARDS[statement.Sid]?.resource ?? /^no wildcard$/);
    }
  }
  expect([...new Set(wild.map(({ statement }) => statement.Sid))].sort()).toEqual(
    Object.keys(WILDCARDS).sort(),
  );
});

describe("queues", () => {
  it("each function has its own role and its own failure queue", () => {
    const functions = ofType("AWS::Lambda::Function").map(([id]) => id);
    expect(new Set(functions.map(roleOf)).size).toBe(functions.length);
    for (const fn of functions) {
      const own = `${fn.replace(/Function$/, "")}FailureQueue`;
      const others = ofType("AWS::SQS::Queue").flatMap(([id]) =>
        /FailureQueue$/.test(id) && id !== own ? [id] : [],
      );
      const reached = others.filter((queue) => usersOf(`<${queue}>.Arn`, /^sqs:/).includes(roleOf(fn)));
      expect(reached, fn).toEqual([]);
    }
  });

  it("only the work queue is read by a function, and only by the reconcile function", () => {
    const readers = Object.fromEntries(
      ofType("AWS::SQS::Queue").map(([id]) => [id, usersOf(`<${id}>.Arn`, /^sqs:(Receive|Delete)Message$/)]),
    );
    const { WorkQueue, ...others } = readers;
    expect(new Set(WorkQueue)).toEqual(new Set(["ReconcileRole"]));
    expect(Object.keys(others).length).toBeGreaterThan(2);
    expect(Object.values(others).flat()).toEqual([]);
  });

  it("the event source reads them with the role of the reconcile function", () => {
    const [[, source] = []] = ofType("AWS::Lambda::EventSourceMapping");
    expect(source?.Properties).toMatchObject({
      EventSourceArn: "<WorkQueue>.Arn",
      FunctionName: "<ReconcileFunction>",
    });
  });
});

describe("secrets", () => {
  const readers = (role: string) =>
    allowedTo(role).filter((one) => actionsOf(one).some((action) => /^secretsmanager:/.test(action)));

  it("only the webhook function reads its token, which is not a source", () => {
    const webhook = readers(roleOf("WebhookFunction"));
    expect(webhook.flatMap(actionsOf)).toEqual(["secretsmanager:GetSecretValue"]);
    expect(webhook.flatMap(resourcesOf)).toEqual([EVERYTHING.WebhookKeySecretArn]);
    for (const fn of ["RotationFunction", "ReconcileFunction"]) {
      const named = readers(roleOf(fn)).flatMap(resourcesOf);
      expect(named).toEqual(expect.arrayContaining(EVERYTHING.SecretArns.split(",")));
      expect(named).not.toContain(EVERYTHING.WebhookKeySecretArn);
    }
  });

  it("no function writes one", () => {
    const writes = allows().filter(({ statement }) =>
      actionsOf(statement).some((action) =>
        /^secretsmanager:(Put|Update|Create|Delete|Restore)/.test(action),
      ),
    );
    expect(writes).toEqual([]);
  });
});

describe("the published bindings", () => {
  it("are read by each function, and written by none", () => {
    const functions = ofType("AWS::Lambda::Function").map(([id]) => roleOf(id));
    const readers = ofType("AWS::IAM::Role").flatMap(([id]) =>
      allowedTo(id).some((one) => actionsOf(one).includes("s3:GetObject")) ? [id] : [],
    );
    expect(readers.sort()).toEqual(functions.sort());
    const others = allows().flatMap(({ statement }) =>
      actionsOf(statement).filter((action) =>
        /^s3:(?!(GetObject|GetObjectVersion|ListBucket)$)/.test(action),
      ),
    );
    expect(others).toEqual([]);
  });

  it("stay when the stack is deleted", () => {
    for (const type of ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"]) {
      for (const [, resource] of ofType(type)) {
        expect(resource).toMatchObject({
          DeletionPolicy: "RetainExceptOnCreate",
          UpdateReplacePolicy: "Retain",
        });
      }
    }
  });
});

it("only the principals in the template invoke a function", () => {
  const invokers = (fn: string): string[] => [
    ...usersOf(`<${fn}>.Arn`, /^lambda:/),
    ...ofType("AWS::Lambda::Permission").flatMap(([, { Properties }]) =>
      Properties.FunctionName === `<${fn}>` ? [String(Properties.SourceArn ?? Properties.Principal)] : [],
    ),
  ];
  expect(invokers("RotationFunction")).toEqual([
    "WebhookRole",
    "<LabelUpdatedRule>.Arn",
    "<CloudTrailRule>.Arn",
    EVERYTHING.DirectInvokerArn,
  ]);
  expect(invokers("ReconcileFunction")).toEqual(["SweepScheduleRole", "<BindingsPublishedRule>.Arn"]);
  expect(invokers("WebhookFunction")).toEqual([]); // by its URL, which is a stack of its own
});

it("the check finds a permission that SAM adds", () => {
  const more = structuredClone(stack) as { resources: Record<string, Resource> };
  const role = more.resources.WebhookRole?.Properties.Policies as {
    PolicyDocument: { Statement: Statement[] };
  }[];
  role[0]?.PolicyDocument.Statement.push({
    Sid: "Added",
    Effect: "Allow",
    Action: "secretsmanager:GetSecretValue",
    Resource: "*",
  });
  expect(statementsIn(more as Stack)).not.toEqual(statementsIn(deploy(EVERYTHING)));
});
