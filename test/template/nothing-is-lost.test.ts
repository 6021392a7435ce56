import { describe, expect, it } from "vitest";
import { deploy, WITH_WEBHOOK } from "./deploy.ts";
import { calledByUrl, eventsOf, idsIn, ofType, template } from "./template.ts";

const functions = ofType("AWS::Serverless::Function").filter(([id]) => !calledByUrl.has(id));
const queues = ofType("AWS::SQS::Queue");
const policies = ofType("AWS::SQS::QueuePolicy");
const workQueues = queues.filter(([, queue]) => queue.Properties.RedrivePolicy !== undefined);
const failureQueues = queues.filter(([, queue]) => queue.Properties.RedrivePolicy === undefined);
const DAY_SECONDS = 24 * 60 * 60;

it("the template has functions and queues", () => {
  expect(functions.length).toBeGreaterThan(0);
  expect(workQueues.length).toBeGreaterThan(0);
  expect(failureQueues.length).toBeGreaterThan(0);
});

describe.each(functions)("%s", (id, fn) => {
  const asynchronous = fn.Properties.EventInvokeConfig as Record<string, unknown>;

  it("attempts an event three times, for up to an hour", () => {
    expect(asynchronous.MaximumRetryAttempts).toBe(2);
    expect(asynchronous.MaximumEventAgeInSeconds).toBe(3600);
  });

  it("keeps failed events in its own queue", () => {
    const queue = id.replace(/Function$/, "FailureQueue");
    expect(failureQueues.map(([failureQueue]) => failureQueue)).toContain(queue);
    expect(asynchronous.DestinationConfig).toEqual({
      OnFailure: { Type: "SQS", Destination: { "Fn::GetAtt": [queue, "Arn"] } },
    });
  });
});

describe.each([...calledByUrl])("%s, whose callers wait for its answer,", (id) => {
  it("has no asynchronous events that could be lost", () => {
    expect(template.Resources[id]?.Properties).not.toHaveProperty("EventInvokeConfig");
    expect(template.Resources[id]?.Properties).not.toHaveProperty("Events");
  });

  it("invokes a function that keeps its failed events", () => {
    const { Environment } = (deploy(WITH_WEBHOOK).resources[id]?.Properties ?? {}) as {
      Environment?: { Variables: Record<string, unknown> };
    };
    const handsOverTo = functions.filter(([other]) =>
      Object.values(Environment?.Variables ?? {}).includes(`<${other}>.Arn`),
    );
    expect(handsOverTo.map(([other]) => other)).toEqual(["RotationFunction"]);
  });
});

it("every failure queue has messages for one function only, and every way to fail has a queue", () => {
  const queueOf = (part: unknown) => idsIn((part as { DeadLetterConfig?: unknown }).DeadLetterConfig);
  const functionOf = (queue: string) => queue.replace(/(FailureQueue|DeadLetterQueue)$/, "");
  const rules = ofType("AWS::Events::Rule").flatMap(([, { Properties }]) => Properties.Targets as object[]);
  const ofRules = rules.map((target) => [
    (target as { Arn: { "Fn::GetAtt": string[] } }).Arn["Fn::GetAtt"][0],
    ...queueOf(target),
  ]);
  expect(ofRules.length).toBeGreaterThan(2);
  for (const [fn, queue] of ofRules) expect(`${functionOf(queue ?? "")}Function`).toBe(fn);
  const ofSchedules = eventsOf("ScheduleV2").flatMap(([, schedule]) => queueOf(schedule));
  expect(new Set(ofSchedules)).toEqual(new Set(["ReconcileFailureQueue"]));
  const ofWork = workQueues.flatMap(([, queue]) => idsIn(queue.Properties.RedrivePolicy));
  const used = [...functions.flatMap(([, fn]) => idsIn(fn.Properties.EventInvokeConfig)), ...ofWork];
  expect(used.sort()).toEqual(failureQueues.map(([id]) => id).sort());
});

it.each(failureQueues)("%s keeps failed events for 14 days", (_id, queue) => {
  expect(queue.Properties.MessageRetentionPeriod).toBe(14 * DAY_SECONDS);
});

describe.each(workQueues)("%s", (id, queue) => {
  const redrive = queue.Properties.RedrivePolicy as { deadLetterTargetArn: unknown; maxReceiveCount: number };
  const [[, source] = []] = eventsOf("SQS").filter(([, event]) => idsIn(event.Queue).includes(id));

  it("moves a message after three to five attempts to a queue that keeps it longer", () => {
    const [deadLetterQueue = ""] = idsIn(redrive.deadLetterTargetArn);
    expect(redrive.maxReceiveCount).toBeGreaterThanOrEqual(3);
    expect(redrive.maxReceiveCount).toBeLessThanOrEqual(5);
    // SQS counts the age from the first sending, so the time in the work queue is part of it.
    const kept = template.Resources[deadLetterQueue]?.Properties.MessageRetentionPeriod;
    expect(Number(kept) - Number(queue.Properties.MessageRetentionPeriod)).toBeGreaterThanOrEqual(
      7 * DAY_SECONDS,
    );
  });

  it("is read one message at a time, and reports which one failed", () => {
    expect(source).toMatchObject({ BatchSize: 1, FunctionResponseTypes: ["ReportBatchItemFailures"] });
  });

  it("has a parameter for its maximum concurrency", () => {
    expect(source?.ScalingConfig).toEqual({ MaximumConcurrency: { Ref: "SweepConcurrency" } });
    // Lambda's requirement for an event source.
    expect(template.Parameters.SweepConcurrency).toMatchObject({ Default: 5, MinValue: 2, MaxValue: 1000 });
  });

  it("hides a message for six times the timeout of its function", () => {
    const timeouts = template.Parameters.SweepTimeoutSeconds?.AllowedValues ?? [];
    expect(timeouts.length).toBeGreaterThan(0);
    for (const SweepTimeoutSeconds of timeouts) {
      const { resources } = deploy({ SweepTimeoutSeconds });
      expect(resources.ReconcileFunction?.Properties.Timeout).toBe(SweepTimeoutSeconds);
      expect(resources[id]?.Properties.VisibilityTimeout).toBe(6 * Number(SweepTimeoutSeconds));
    }
    expect(Object.keys(template.Mappings?.SweepTimeout ?? {})).toEqual(timeouts.map(String));
  });
});

it("every event source has a work queue", () => {
  const read = eventsOf("SQS").flatMap(([, event]) => idsIn(event.Queue));
  expect(read.sort()).toEqual(workQueues.map(([id]) => id).sort());
});

describe.each(queues)("%s", (id, queue) => {
  it("is encrypted at rest", () => {
    const { KmsMasterKeyId, SqsManagedSseEnabled } = queue.Properties;
    expect(KmsMasterKeyId !== undefined || SqsManagedSseEnabled === true).toBe(true);
  });

  it("accepts only TLS", () => {
    const own = policies.filter(([, policy]) => idsIn(policy.Properties.Queues).includes(id));
    expect(own).toHaveLength(1);
    const document = own[0]?.[1].Properties.PolicyDocument as { Statement: unknown[] } | undefined;
    expect(document?.Statement).toContainEqual({
      Sid: "OverTlsOnly",
      Effect: "Deny",
      Principal: "*",
      Action: "sqs:*",
      Resource: "*", // in the policy of a queue, this queue
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    });
  });
});
