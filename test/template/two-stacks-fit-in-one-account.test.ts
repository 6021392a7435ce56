import { expect, it } from "vitest";
import { eventsOf, stringsIn, template, templateText } from "./template.ts";

const resources = Object.entries(template.Resources);

it("the template has resources", () => expect(resources.length).toBeGreaterThan(0));

// PolicyName is the name of an inline policy: it need only be unique within its role.
const FIXED_NAMES = [
  ...[
    "AlarmName",
    "BucketName",
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
  expect(templateText).not.toMatch(/^[^#]*(: |- )[&*]\w/m);
});
