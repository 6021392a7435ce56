import { describe, expect, it } from "vitest";
import { deploy, WITH_WEBHOOK } from "./deploy.ts";
import { problemsOfQuery } from "./logs-insights.ts";
import { monitoring, ofType } from "./template.ts";

const queries = ofType("AWS::Logs::QueryDefinition", monitoring);
const groups = namesOf({});

/** The log groups of a relay's stack. */
function namesOf(settings: Record<string, string>): readonly unknown[] {
  const stack = deploy({ ...WITH_WEBHOOK, ...settings });
  return ofType("AWS::Logs::LogGroup").map(([id]) => stack.resources[id]?.Properties.LogGroupName);
}

it("the templates have queries and log groups", () => {
  expect(queries.length).toBeGreaterThan(5);
  expect(groups.length).toBeGreaterThan(1);
});

describe.each(queries)("%s", (id) => {
  const propertiesWith = (settings: Record<string, string> = {}) =>
    deploy({ Webhook: "ENABLED", ...settings }, monitoring).resources[id]?.Properties ?? {};
  const { Name, QueryString, LogGroupNames } = propertiesWith();

  it("uses only fields and codes that are logged", () => {
    expect(problemsOfQuery(String(QueryString))).toEqual([]);
  });

  it("is in a folder of the relay, and has a limit", () => {
    expect(Name).toMatch(/^secret-relay\/[A-Z][\w ,]+$/);
    expect(QueryString).toMatch(/\| limit \d+$/);
  });

  it("reads log groups of the relay's stack, also under another name", () => {
    expect((LogGroupNames as string[]).length).toBeGreaterThan(0);
    for (const group of LogGroupNames as string[]) expect(groups).toContain(group);
    const others = namesOf({ RelayName: "other" });
    const { LogGroupNames: read } = propertiesWith({ RelayName: "other" });
    for (const group of read as string[]) expect(others).toContain(group);
  });
});

it("the check finds a field or a code that is never logged", () => {
  expect(problemsOfQuery('filter logCode = "TARGET_GONE" and colour like "x"\n| order by target')).toEqual([
    "colour is not a field of a log line",
    "unknown command order",
    "TARGET_GONE is not a code of a log line",
  ]);
});
