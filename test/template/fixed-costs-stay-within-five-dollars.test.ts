import { describe, expect, it } from "vitest";
import { type Choice, fixedCosts, STEADY_METRICS } from "../../scripts/fixed-costs.ts";
import { METRICS } from "../../shared/runtime/metrics.ts";
import { deploy, WITH_WEBHOOK } from "./deploy.ts";
import { monitoring, monitoringText, type Template, template, templateText } from "./template.ts";

it("the relay's own stack costs at most 5 USD a month, with every option", () => {
  const usd = (["default", "UsesCloudTrail", "HasWebhook"] as const).map(
    (choice) => fixedCosts(templateText, choice).usd,
  );
  expect(usd[0]).toBeGreaterThan(0);
  expect(usd.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(5);
});

it("template.yaml is short enough to be read in one sitting", () => {
  expect(templateText.split("\n").length).toBeLessThanOrEqual(1_500);
});

it("the steady metrics are metrics of the relay", () => {
  for (const name of STEADY_METRICS) expect(Object.keys(METRICS)).toContain(name);
});

describe("the counts equal those of the deployed stacks", () => {
  const alarmMetrics = (one: Template, settings: Record<string, string>) =>
    Object.values(deploy(settings, one).resources)
      .filter(({ Type }) => Type === "AWS::CloudWatch::Alarm")
      .map(({ Properties: { Metrics } }) =>
        Metrics === undefined ? 1 : (Metrics as object[]).filter((metric) => "MetricStat" in metric).length,
      )
      .reduce((sum, count) => sum + count, 0);
  const counted = (text: string, ...choices: Choice[]) =>
    choices.reduce((sum, choice) => sum + fixedCosts(text, choice).alarmMetrics, 0);

  it.each([
    { of: "template.yaml", one: template, text: templateText, webhook: WITH_WEBHOOK },
    { of: "monitoring.yaml", one: monitoring, text: monitoringText, webhook: { Webhook: "ENABLED" } },
  ])("of $of", ({ one, text, webhook }) => {
    expect(counted(text, "default")).toBe(alarmMetrics(one, {}));
    const all = { CloudTrailEvents: "true", ...webhook };
    expect(counted(text, "default", "UsesCloudTrail", "HasWebhook")).toBe(alarmMetrics(one, all));
  });
});
