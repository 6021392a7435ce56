import { describe, expect, it } from "vitest";
import { METRICS } from "../../shared/runtime/metrics.ts";
import { anchorsOf, pageOf } from "../docs/markdown.ts";
import { deploy, WITH_WEBHOOK } from "./deploy.ts";
import {
  calledByUrl,
  eventsOf,
  idsIn,
  monitoring,
  ofType,
  type Resource,
  type Template,
  template,
} from "./template.ts";

const ALARM = "AWS::CloudWatch::Alarm";
const essential = ofType(ALARM);
const further = ofType(ALARM, monitoring);
const alarms = [...essential, ...further];
// Messages in a work queue have not failed yet.
const queues = ofType("AWS::SQS::Queue").filter(([, queue]) => queue.Properties.RedrivePolicy === undefined);
const functions = ofType("AWS::Serverless::Function");
const rules = ofType("AWS::Events::Rule");
const schedules = eventsOf("ScheduleV2");

/** The terms of an alarm's sum, when it has one. */
const partsOf = ({ Metrics = [] }: Record<string, unknown>) =>
  (Metrics as { MetricStat?: { Metric: Record<string, unknown>; Period: unknown } }[]).flatMap((part) =>
    part.MetricStat === undefined ? [] : [part.MetricStat],
  );
/** Every metric that an alarm reads, alone or in a sum. */
const metricsOf = (properties: Record<string, unknown>) => {
  const metrics = partsOf(properties).map((part) => part.Metric);
  return properties.MetricName === undefined ? metrics : [properties, ...metrics];
};

type Settings = Record<string, string | number>;
const settingsFor = (one: Template, settings: Settings) =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => name in one.Parameters));

/** Every alarm of both stacks, with the same settings where they have the same parameter. */
function deployAlarms(settings: Settings = {}): Record<string, Resource> {
  const all = { CloudTrailEvents: "true", MetadataSweep: "ENABLED", Webhook: "ENABLED", ...WITH_WEBHOOK };
  const stacks = [template, monitoring].map((one) =>
    Object.entries(deploy(settingsFor(one, { ...all, ...settings }), one).resources),
  );
  return Object.fromEntries(stacks.flat().filter(([, { Type }]) => Type === ALARM));
}
const deployedAlarm = (id: string, settings: Settings = {}) => deployAlarms(settings)[id]?.Properties ?? {};

/** Alarms that read this metric, with this value of its dimension. */
const alarmsOn = (metric: string, value: string) =>
  Object.values(deployAlarms()).filter(({ Properties }) =>
    metricsOf(Properties).some(
      ({ MetricName, Dimensions }) =>
        MetricName === metric && (Dimensions as { Value: string }[]).some(({ Value }) => Value === value),
    ),
  );

it("the templates have alarms, queues, functions, rules and schedules", () => {
  for (const found of [essential, further, queues, functions, rules, schedules])
    expect(found.length).toBeGreaterThan(0);
});

it("no alarm is in both stacks, and all have names of their own", () => {
  const names = Object.values(deployAlarms()).map(({ Properties }) => Properties.AlarmName);
  expect(names.toSorted()).toEqual(alarms.map(([id]) => `secret-relay-${id}`).toSorted());
});

describe.each(alarms)("%s", (id, alarm) => {
  it("notifies the topic when it starts and when it ends", () => {
    const topic = "arn:aws:sns:eu-west-1:111122223333:on-call";
    const { AlarmActions, OKActions } = deployedAlarm(id, { AlarmTopicArn: topic });
    expect([AlarmActions, OKActions]).toEqual([[topic], [topic]]);
  });

  it("can be deployed without an SNS topic", () => {
    expect(deployedAlarm(id)).toHaveProperty("Threshold");
    expect(deployedAlarm(id)).not.toHaveProperty("AlarmActions");
    expect(deployedAlarm(id)).not.toHaveProperty("OKActions");
  });

  it("describes the event, and ends with Runbook: RunbookUrl, # and the alarm's id in lower case", () => {
    const RunbookUrl = "https://example.amazonaws.com/runbook";
    const { AlarmDescription } = deployedAlarm(id, { RunbookUrl });
    const [sentences = "", link] = String(AlarmDescription).split(" Runbook: ");

    expect(sentences.length).toBeGreaterThan(60);
    expect(link).toBe(`${RunbookUrl}#${id.toLowerCase()}`);
    expect(anchorsOf(pageOf("docs/runbook.md"))).toContain(id.toLowerCase());
    // CloudWatch takes 1,024 characters, and RunbookUrl may have 400 of them.
    expect(sentences.length).toBeLessThan(550);
  });

  it("defines the meaning of missing data", () => {
    // A queue without traffic reports nothing while it still has messages.
    const isDepth = alarm.Properties.MetricName === "ApproximateNumberOfMessagesVisible";
    const isAboutSilence = id === "SweepSilentAlarm";
    const missing = isDepth ? "ignore" : isAboutSilence ? "breaching" : "notBreaching";
    expect(alarm.Properties.TreatMissingData).toBe(missing);
  });

  it("watches a metric that exists, with the dimension that it has", () => {
    const ours = metricsOf(deployedAlarm(id)).filter(({ Namespace }) => Namespace === "SecretRelay");
    for (const { MetricName, Dimensions } of ours) {
      expect(Object.keys(METRICS)).toContain(MetricName);
      expect(
        ["rotation", "reconcile", "webhook"].map((Value) => [{ Name: "service", Value }]),
      ).toContainEqual(Dimensions);
    }
  });

  it("evaluates no longer period than CloudWatch permits", () => {
    const periods = template.Parameters.SweepPeriodSeconds?.AllowedValues ?? [];
    expect(periods.length).toBeGreaterThan(0);
    for (const SweepPeriodSeconds of periods) {
      const deployed = deployedAlarm(id, { SweepPeriodSeconds });
      const spans = [deployed, ...partsOf(deployed)].flatMap(({ Period }) =>
        Period === undefined ? [] : [Number(Period)],
      );
      const [period = Number.NaN, ...others] = new Set(spans);
      expect(others).toEqual([]); // a sum over different periods has no answer
      expect(period % 60).toBe(0);
      expect(period * Number(deployed.EvaluationPeriods)).toBeLessThanOrEqual(24 * 60 * 60);
    }
  });
});

it.each(queues)("an essential alarm reports when %s is not empty", (id) => {
  const depth = essential.filter(
    ([, { Properties }]) =>
      Properties.MetricName === "ApproximateNumberOfMessagesVisible" && idsIn(Properties).includes(id),
  );
  expect(depth).toHaveLength(1);
});

it.each(functions)("an alarm reports when %s fails, is throttled, or loses an event", (id) => {
  const name = String(deploy(WITH_WEBHOOK).resources[id]?.Properties.FunctionName);
  expect(alarmsOn("Errors", name)).toHaveLength(1);
  expect(alarmsOn("Throttles", name)).toHaveLength(1);
  // The response reports a loss to a waiting caller.
  const lost = metricsOf(deployedAlarm("EventsLostAlarm")).filter(
    ({ MetricName }) => MetricName === "DestinationDeliveryFailures",
  );
  expect(lost.some(({ Dimensions }) => JSON.stringify(Dimensions).includes(`<${id}>`))).toBe(
    !calledByUrl.has(id),
  );
});

it("the webhook's alarms exist if it does", () => {
  const ofWebhook = alarms.filter(([, { Condition }]) => Condition === "HasWebhook").map(([id]) => id);
  expect(ofWebhook.length).toBeGreaterThan(1);
  const without = deployAlarms({ WebhookKeySecretArn: "", Webhook: "DISABLED" });
  for (const id of ofWebhook) expect(without[id]).toBeUndefined();
});

it.each(rules)("an essential alarm reports when %s loses an event", (id) => {
  expect(metricsOf(deployedAlarm("EventsLostAlarm"))).toContainEqual(
    expect.objectContaining({
      MetricName: "InvocationsFailedToBeSentToDlq",
      Dimensions: [{ Name: "RuleName", Value: `<${id}>` }],
    }),
  );
});

it.each(schedules)("an essential alarm reports when the schedule %s loses a sweep", (_id, schedule) => {
  const { Properties } = template.Resources.EventsLostAlarm ?? { Properties: {} };
  expect(metricsOf(Properties)).toContainEqual(
    expect.objectContaining({
      Namespace: "AWS/Scheduler",
      MetricName: "InvocationsFailedToBeSentToDeadLetterCount",
      Dimensions: [{ Name: "ScheduleGroup", Value: schedule.GroupName }],
    }),
  );
});

it.each([
  { metric: "RotationsFailed", service: "rotation" },
  { metric: "EventsRejected", service: "rotation" },
  { metric: "DeletionsHeldBack", service: "reconcile" },
  { metric: "WebhookCallsFailed", service: "webhook" },
  { metric: "WebhookCallsRefused", service: "webhook" },
])("an alarm reports $metric in $service", ({ metric, service }) => {
  expect(onlyAlarmOf(metric, service)).toMatchObject({
    Statistic: "Sum",
    Threshold: 1,
    EvaluationPeriods: 1,
  });
});

it.each([
  { id: "TargetsRefusedAlarm", metric: "TargetsRefused" },
  { id: "RestartsFailedAlarm", metric: "RestartsFailed" },
  { id: "RolloutsStuckAlarm", metric: "RolloutsStuck" },
])("the essential alarm $id reports $metric, in rotations and in sweeps", ({ id, metric }) => {
  expect(essential.map(([one]) => one)).toContain(id);
  const alarm = deployedAlarm(id);
  expect(metricsOf(alarm)).toMatchObject(bothServices(metric));
  expect(alarm).toMatchObject({ Threshold: 1, EvaluationPeriods: 1 });
  expect(alarm.Metrics).toContainEqual(
    expect.objectContaining({ Expression: "FILL(inRotations, 0) + FILL(inSweeps, 0)" }),
  );
});

it("an alarm reports when a certificate has few days left, whichever function saw it", () => {
  const alarm = deployedAlarm("CertificateExpiresAlarm", { CertificateAlarmDays: 20 });
  expect(metricsOf(alarm)).toMatchObject(bothServices("CertificateExpiresInDays"));
  expect(partsOf(alarm).map(({ Period }) => Period)).toEqual([86_400, 86_400]); // the values sweep comes once a day
  expect(alarm).toMatchObject({ Threshold: 20, ComparisonOperator: "LessThanThreshold" });
});

const bothServices = (MetricName: string) =>
  ["rotation", "reconcile"].map((Value) => ({ MetricName, Dimensions: [{ Name: "service", Value }] }));

it.each(["TargetsDrifted", "SweepBindingsUnknown"])(
  "an alarm reports when %s recurs in three sweeps",
  (metric) => {
    // Of four periods: the schedule's flexible window may leave one of them without a sweep.
    expect(onlyAlarmOf(metric, "reconcile")).toMatchObject({
      Statistic: "Sum",
      ComparisonOperator: "GreaterThanThreshold",
      Threshold: 0,
      Period: { Ref: "SweepPeriodSeconds" },
      DatapointsToAlarm: 3,
      EvaluationPeriods: 4,
    });
  },
);

it("an alarm reports when a target was stale for too long", () => {
  expect(onlyAlarmOf("OldestStaleness", "reconcile")).toMatchObject({
    Statistic: "Maximum",
    Unit: "Milliseconds",
    ComparisonOperator: "GreaterThanThreshold",
    Threshold: { Ref: "StalenessAlarmMs" },
  });
  expect(template.Parameters.StalenessAlarmMs?.Default).toBe(900_000);
});

describe("when no sweep is complete", () => {
  const silent = deployedAlarm("SweepSilentAlarm");

  it("an alarm reports silence after three periods, also when nothing reports at all", () => {
    expect(silent).toMatchObject({
      ComparisonOperator: "LessThanThreshold",
      Threshold: 1,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 3,
      TreatMissingData: "breaching",
    });
    expect(metricsOf(silent).map((metric) => metric.MetricName)).toEqual([
      "SweepShardsPlanned",
      "SweepShardsCompleted",
    ]);
  });

  it("a sweep counts as complete when it planned shards and completed as many", () => {
    const [{ Expression } = {}] = silent.Metrics as { Expression?: string }[];
    expect(Expression).toBe("IF(planned > 0 AND completed >= planned, 1, 0)");
  });

  it("no alarm expects sweeps when the metadata sweep is disabled", () => {
    expect(deployAlarms({ MetadataSweep: "DISABLED" }).SweepSilentAlarm).toBeUndefined();
  });

  it("the default period equals the default schedule", () => {
    expect(template.Parameters.MetadataSweepSchedule?.Default).toBe("rate(5 minutes)");
    expect(template.Parameters.SweepPeriodSeconds?.Default).toBe(5 * 60);
  });
});

it("an alarm reports when the slowest 1 % of writes is late", () => {
  expect(onlyAlarmOf("PropagationLatency", "rotation")).toMatchObject({
    ExtendedStatistic: "p99",
    Unit: METRICS.PropagationLatency,
    Threshold: { Ref: "PropagationLatencyAlarmMs" },
  });
});

function onlyAlarmOf(metric: string, service: string): Record<string, unknown> {
  const found = alarms.filter(
    ([, { Properties }]) =>
      Properties.MetricName === metric && JSON.stringify(Properties.Dimensions).includes(`"${service}"`),
  );
  expect(found).toHaveLength(1);
  return found[0]?.[1].Properties ?? {};
}

it("sums only the metrics of rules that exist", () => {
  for (const CloudTrailEvents of ["true", "false"]) {
    const { Metrics = [] } = deployedAlarm("EventsLostAlarm", { CloudTrailEvents });
    const [sum, ...parts] = Metrics as { Id: string; Expression?: string }[];
    expect(parts).toHaveLength(CloudTrailEvents === "true" ? 6 : 5);
    const named = [...String(sum?.Expression).matchAll(/FILL\((\w+), 0\)/g)].map(([, id]) => id);
    expect(named).toEqual(parts.map((part) => part.Id));
  }
});
