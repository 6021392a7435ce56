import { expect, it } from "vitest";
import { parse } from "yaml";
import { sample } from "../events/samples.ts";
import { matches } from "../template/event-pattern.ts";
import { blocksOf, pageOf } from "./markdown.ts";

// The rule in docs/deploy.md for the account of a source: it forwards the event that the relay accepts.

const template = blocksOf(pageOf("docs/deploy.md"), "yaml")
  .map((text) => ({ text, template: parse(text, { logLevel: "silent" }) }))
  .find(({ text }) => text.startsWith("# forward-events.yaml"))?.template;

it("the account of a source forwards the moves of its labels, and nothing else", () => {
  const { EventPattern } = template.Resources.ForwardRule.Properties;

  expect(matches(EventPattern, sample("label-updated.json"))).toBe(true);
  expect(matches(EventPattern, sample("rotation-succeeded.json"))).toBe(false);
});

it("the rule can put events on the relay's bus, and do nothing else", () => {
  const { Policies } = template.Resources.ForwardRole.Properties;

  expect(
    Policies.flatMap(
      (policy: { PolicyDocument: { Statement: object[] } }) => policy.PolicyDocument.Statement,
    ),
  ).toEqual([{ Effect: "Allow", Action: "events:PutEvents", Resource: "RelayEventBusArn" }]);
});
