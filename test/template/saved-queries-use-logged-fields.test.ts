import { describe, expect, it } from "vitest";
import { deploy, WITH_WEBHOOK } from "./deploy.ts";
import { problemsOfQuery } from "./logs-insights.ts";
import { ofType, template } from "./template.ts";

const queries = ofType("AWS::Logs::QueryDefinition");
const groups = ofType("AWS::Logs::LogGroup").map(([id]) => id);

it("the template has queries and log groups", () => {
  expect(queries.length).toBeGreaterThan(5);
  expect(groups.length).toBeGreaterThan(1);
});

describe.each(queries)("%s", (id) => {
  const { Name, QueryString, LogGroupNames } = deploy(WITH_WEBHOOK).resources[id]?.Properties ?? {};

  it("uses only fields and codes that are logged", () => {
    expect(problemsOfQuery(String(QueryString))).toEqual([]);
  });

  it("is in a folder of the stack, and has a limit", () => {
    expect(template.Resources[id]?.Properties.Name).toMatchObject({
      "Fn::Sub": expect.stringMatching(/^\$\{AWS::StackName\}\/[A-Z][\w ,]+$/),
    });
    expect(Name).not.toContain("$");
    expect(QueryString).toMatch(/\| limit \d+$/);
  });

  it("reads log groups of the stack", () => {
    expect((LogGroupNames as string[]).length).toBeGreaterThan(0);
    for (const group of LogGroupNames as string[]) expect(groups.map((one) => `<${one}>`)).toContain(group);
  });
});

it("the check finds a field or a code that is never logged", () => {
  expect(problemsOfQuery('filter logCode = "TARGET_GONE" and colour like "x"\n| order by target')).toEqual([
    "colour is not a field of a log line",
    "unknown command order",
    "TARGET_GONE is not a code of a log line",
  ]);
});
