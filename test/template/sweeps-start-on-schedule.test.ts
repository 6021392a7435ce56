import { describe, expect, it } from "vitest";
import { deploy } from "./deploy.ts";
import { eventsOf, template } from "./template.ts";

const schedules = eventsOf("ScheduleV2");

const deployed = (id: string, given: Record<string, string | number> = {}) => {
  const events = deploy(given).resources.ReconcileFunction?.Properties.Events as
    | Record<string, { Properties: Record<string, unknown> }>
    | undefined;
  return events?.[id]?.Properties ?? {};
};

it.each([
  { id: "MetadataSweep", sweep: "metadata", expression: "rate(5 minutes)", other: "ValuesSweep" },
  { id: "ValuesSweep", sweep: "values", expression: "rate(1 day)", other: "MetadataSweep" },
])(
  "$id starts a sweep by $sweep, has a schedule and a switch of its own",
  ({ id, sweep, expression, other }) => {
    expect(JSON.parse(String(deployed(id).Input))).toEqual({ sweep });
    expect(deployed(id)).toMatchObject({ ScheduleExpression: expression, State: "ENABLED" });

    const changed = { [`${id}Schedule`]: "rate(3 hours)", [id]: "DISABLED" };
    expect(deployed(id, changed)).toMatchObject({ ScheduleExpression: "rate(3 hours)", State: "DISABLED" });
    expect(deployed(other, changed)).toEqual(deployed(other));
  },
);

it("the template has these two schedules and no other", () => {
  expect(schedules.map(([id]) => id)).toEqual(["MetadataSweep", "ValuesSweep"]);
  expect(Object.values(template.Resources).filter(({ Type }) => Type === "AWS::Scheduler::Schedule")).toEqual(
    [],
  );
});

describe.each(schedules)("%s", (id, schedule) => {
  it("is described", () => expect(schedule.Description).toMatch(/\w/));

  it("starts within a window that is shorter than the shortest valid interval", () => {
    const window = schedule.FlexibleTimeWindow as { Mode: string; MaximumWindowInMinutes: number };
    expect(window.Mode).toBe("FLEXIBLE");
    const pattern = new RegExp(template.Parameters[`${id}Schedule`]?.AllowedPattern ?? "none");
    const tooShort = window.MaximumWindowInMinutes;
    expect(`rate(${tooShort} ${tooShort === 1 ? "minute" : "minutes"})`).not.toMatch(pattern);
  });

  it("retries a sweep that Lambda did not accept, until the next one is due or for an hour", () => {
    const policy = deployed(id).RetryPolicy as Record<string, number>;
    expect(policy.MaximumRetryAttempts).toBeGreaterThan(0);
    expect(policy.MaximumEventAgeInSeconds).toBe(id === "MetadataSweep" ? 300 : 3600);
    const { MaximumEventAgeInSeconds } = deployed(id, { SweepPeriodSeconds: 21_600 })
      .RetryPolicy as typeof policy;
    expect(MaximumEventAgeInSeconds).toBeLessThanOrEqual(86_400); // what EventBridge Scheduler takes
  });

  it("keeps the sweeps that could not start, with the permission of its own role", () => {
    expect(schedule.DeadLetterConfig).toEqual({
      Arn: { "Fn::GetAtt": ["ReconcileFailureQueue", "Arn"] },
    });
    expect(schedule.RoleArn).toEqual({ "Fn::GetAtt": ["SweepScheduleRole", "Arn"] });
  });

  it("belongs to the group that its role trusts", () => {
    expect(schedule.GroupName).toEqual({ Ref: "SweepScheduleGroup" });
    const trust = deploy().resources.SweepScheduleRole?.Properties.AssumeRolePolicyDocument;
    expect(trust).toMatchObject({
      Statement: [
        {
          Principal: { Service: "scheduler.amazonaws.com" },
          Condition: {
            StringEquals: { "aws:SourceAccount": "111122223333" },
            ArnEquals: { "aws:SourceArn": "<SweepScheduleGroup>.Arn" },
          },
        },
      ],
    });
  });
});
