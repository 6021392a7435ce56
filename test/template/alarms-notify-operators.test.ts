import { describe, expect, it } from "vitest";
import { METRICS } from "../../shared/runtime/metrics.ts";
import { anchorsOf, pageOf } from "../docs/markdown.ts";
import { deploy, WITH_WEBHOOK } from "./deploy.ts";
import { calledByUrl, eventsOf, idsIn, ofType, template } from "./template.ts";

const alarms = ofType("AWS::CloudWatch::Alarm");
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
const EVERY_ALARM = { CloudTrailEvents: "true", MetadataSweep: "ENABLED", ...WITH_WEBHOOK };

const alarmOn = (metric: string, id?: string) =>
  alarms.filter(([, alarm]) => {
    const text = JSON.stringify(alarm.Properties);
    return text.includes(`"${metric}"`) && (id === undefined || idsIn(alarm.Properties).includes(id));
  });

it("the template has alarms, queues, functions, rules and schedules", () => {
  for (const found of [alarms, queues, functions, rules, schedules]) expect(found.length).toBeGreaterThan(0);
});

describe.each(alarms)("%s", (id, alarm) => {
  it("notifies the topic when it starts and when it ends", () => {
    const topic = "arn:aws:sns:eu-west-1:111122223333:on-call";
    const deployed = deploy({ AlarmTopicArn: topic, ...EVERY_ALARM }).resources[id]?.Properties;
    expect(deployed?.AlarmActions).toEqual([topic]);
    expect(deployed?.OKActions).toEqual([topic]);
  });

  it("can be deployed without an SNS topic", () => {
    const deployed = deploy(EVERY_ALARM).resources[id]?.Properties;
    expect(deployed).not.toHaveProperty("AlarmActions");
    expect(deployed).not.toHaveProperty("OKActions");
  });

  it("describes the event, and ends with Runbook: RunbookUrl, # and the alarm's id in lower case", () => {
    const RunbookUrl = "https://example.amazonaws.com/runbook";
    const deployed = deploy({ RunbookUrl, ...EVERY_ALARM }).resources[id]?.Properties;
    const [sentences = "", link] = String(deployed?.AlarmDescription).split(" Runbook: ");

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
    const ours = metricsOf(deploy(EVERY_ALARM).resources[id]?.Properties ?? {}).filter(
      (metric) => metric.Namespace === "SecretRelay",
    );
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
      const deployed = deploy({ ...EVERY_ALARM, SweepPeriodSeconds }).resources[id]?.Properties ?? {};
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

it.each(queues)("an alarm reports when %s is not empty", (id) => {
  expect(alarmOn("ApproximateNumberOfMessagesVisible", id)).toHaveLength(1);
});

it.each(functions)("an alarm reports when %s fails, is throttled, or loses an event", (id) => {
  expect(alarmOn("Errors", id)).toHaveLength(1);
  expect(alarmOn("Throttles", id)).toHaveLength(1);
  // The response reports a loss to a waiting caller.
  expect(alarmOn("DestinationDeliveryFailures", id)).toHaveLength(calledByUrl.has(id) ? 0 : 1);
});

it("the webhook's alarms exist if it does", () => {
  const ofWebhook = alarms.filter(([, { Condition }]) => Condition === "HasWebhook").map(([id]) => id);
  expect(ofWebhook.length).toBeGreaterThan(0);
  for (const id of ofWebhook) expect(deploy().resources[id]).toBeUndefined();
});

it.each(rules)("an alarm reports when %s loses an event", (id) => {
  expect(alarmOn("InvocationsFailedToBeSentToDlq", id)).toHaveLength(1);
});

it.each(schedules)("an alarm reports when the schedule %s loses a sweep", (_id, schedule) => {
  const [[, alarm] = []] = alarmOn("InvocationsFailedToBeSentToDeadLetterCount");
  const [metric] = metricsOf(alarm?.Properties ?? {}).filter(
    ({ Namespace }) => Namespace === "AWS/Scheduler",
  );
  expect(metric?.Dimensions).toEqual([{ Name: "ScheduleGroup", Value: schedule.GroupName }]);
});

it.each([
  { metric: "TargetsRefused", service: "rotation" },
  { metric: "RotationsFailed", service: "rotation" },
  { metric: "EventsRejected", service: "rotation" },
  { metric: "TargetsRefused", service: "reconcile" },
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

it("an alarm reports restarts that were refused or failed, in rotations and in sweeps", () => {
  const alarm = deploy().resources.RestartsFailedAlarm?.Properties ?? {};
  expect(metricsOf(alarm)).toMatchObject(bothServices("RestartsFailed"));
  expect(alarm).toMatchObject({ Threshold: 1, EvaluationPeriods: 1 });
  expect(alarm.Metrics).toContainEqual(
    expect.objectContaining({ Expression: "FILL(inRotations, 0) + FILL(inSweeps, 0)" }),
  );
});

it("an alarm reports when a certificate has few days left, whichever function saw it", () => {
  const alarm = deploy({ CertificateAlarmDays: 20 }).resources.CertificateExpiresAlarm?.Properties ?? {};
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
  const silent = deploy().resources.SweepSilentAlarm?.Properties ?? {};

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
    expect(deploy({ MetadataSweep: "DISABLED" }).resources.SweepSilentAlarm).toBeUndefined();
  });

  it("the default period equals the default schedule", () => {
    expect(template.Parameters.MetadataSweepSchedule?.Default).toBe("rate(5 minutes)");
    expect(template.Parameters.SweepPeriodSeconds?.Default).toBe(5 * 60);
  });
});

it("an alarm reports when the slowest 1 % of writes is late", () => {
  const [[, alarm] = []] = alarmOn("PropagationLatency");
  expect(alarm?.Properties).toMatchObject({
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
    const alarm = deploy({ CloudTrailEvents }).resources.EventsLostAlarm;
    const metrics = (alarm?.Properties.Metrics ?? []) as { Id: string; Expression?: string }[];
    const [sum, ...parts] = metrics;
    expect(parts.length).toBeGreaterThan(0);
    const named = [...String(sum?.Expression).matchAll(/FILL\((\w+), 0\)/g)].map(([, id]) => id);
    expect(named).toEqual(parts.map((part) => part.Id));
  }
});
