import { expect, it } from "vitest";
import { deploy, WITH_WEBHOOK } from "./deploy.ts";
import { eventsOf, monitoring, monitoringText, stringsIn, template, templateText } from "./template.ts";

const resources = [...Object.entries(template.Resources), ...Object.entries(monitoring.Resources)];

it("the template has resources", () => expect(resources.length).toBeGreaterThan(0));

// PolicyName is the name of an inline policy: it need only be unique within its role.
const FIXED_NAMES = [
  ...[
    "AlarmName",
    "BucketName",
    "DashboardName",
    "DisplayName",
    "FunctionName",
    "LogGroupName",
    "ManagedPolicyName",
    "Name",
    "QueueName",
  ],
  ...["RoleName", "ScheduleName", "TopicName"],
];
it.each(resources)("%s has no fixed name", (_id, resource) => {
  for (const property of FIXED_NAMES) expect(typeof resource.Properties[property]).not.toBe("string");
});

it("every name of a resource differs between two relays", () => {
  const namesOf = (RelayName: string) =>
    [
      deploy({ RelayName, CloudTrailEvents: "true", ...WITH_WEBHOOK }),
      deploy({ RelayName, CloudTrailEvents: "true", Webhook: "ENABLED" }, monitoring),
    ].flatMap((stack) =>
      Object.values(stack.resources).flatMap(({ Properties }) =>
        FIXED_NAMES.flatMap((property) => Properties[property] ?? []),
      ),
    );
  const [first, second] = [namesOf("secret-relay"), new Set(namesOf("a".repeat(32)))];
  expect(first.length).toBeGreaterThan(30);
  expect(first.filter((name) => second.has(name) && !/^<\w+>$/.test(String(name)))).toEqual([]);
});

it("the longest name of a relay leaves names that Lambda takes", () => {
  const { resources } = deploy({ RelayName: "a".repeat(32), ...WITH_WEBHOOK });
  for (const { Type, Properties } of Object.values(resources)) {
    if (Type === "AWS::Serverless::Function")
      expect(String(Properties.FunctionName).length).toBeLessThanOrEqual(64);
  }
});

const schedules = eventsOf("ScheduleV2");
it("the template has schedules", () => expect(schedules.length).toBeGreaterThan(0));

it.each(schedules)("the schedule %s has no fixed name", (_id, schedule) => {
  // Without this SAM names the schedule after its place in the template.
  expect(schedule.OmitName).toBe(true);
  expect(schedule).not.toHaveProperty("Name");
});

it.each(resources)("%s names no account and no partition", (_id, resource) => {
  for (const text of stringsIn(resource)) {
    expect(text).not.toMatch(/\b\d{12}\b/);
    expect(text).not.toMatch(/arn:aws/);
  }
});

it("a metrics namespace parameter separates the metrics of two stacks", () => {
  const { Variables } = template.Globals.Function.Environment as { Variables: Record<string, unknown> };
  expect(Variables.POWERTOOLS_METRICS_NAMESPACE).toEqual({ Ref: "MetricsNamespace" });
});

it("the template has no YAML aliases, which CloudFormation does not support", () => {
  for (const text of [templateText, monitoringText]) expect(text).not.toMatch(/^[^#]*(: |- )[&*]\w/m);
});
