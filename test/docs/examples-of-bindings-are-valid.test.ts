import { expect, it } from "vitest";
import { parse, stringify } from "yaml";
import schema from "../../shared/bindings/bindings.schema.json" with { type: "json" };
import { problemsOf, withBindings } from "../bindings/bindings-text.ts";
import { blocksOf, pageOf } from "./markdown.ts";

const page = pageOf("docs/bindings.md");
const examples = blocksOf(page, "yaml");
const [smallest = ""] = examples;

it("the page has examples", () => expect(examples.length).toBeGreaterThan(5));

it.each(examples)("%s", (example) => {
  expect(problemsOf(fileOf(example))).toEqual([]);
});

it("validate reports the example mistake as the page shows it", () => {
  const shown = page.text.split("\n").filter((line) => line.startsWith("bindings.yaml:"));

  const problems = problemsOf(smallest.replace("eu-west-1", "eu-west-1a"));

  expect(shown).toEqual(
    problems.map(
      ({ line, column, path, message, fix }) =>
        `bindings.yaml:${line}:${column}: ${path}: ${message}. ${fix}.`,
    ),
  );
});

it("the reference has every setting of the schema", () => {
  const { text } = pageOf("docs/reference.md");
  const settings = [
    schema.properties,
    ...Object.values(schema.$defs).map((part) => ("properties" in part ? part.properties : {})),
  ].flatMap(Object.keys);

  expect(settings.length).toBeGreaterThan(40);
  expect(settings.filter((setting) => !text.includes(`\`${setting}\``))).toEqual([]);
});

it("every setting has a title, a description and an example, which editors show", () => {
  const all = [schema.properties, ...["cluster", "defaults", "binding", "target"].map(propertiesOf)].flatMap(
    Object.entries,
  );
  const undocumented = all.filter(
    ([, part]) => !["title", "description", "examples"].every((word) => word in resolved(part)),
  );

  expect(undocumented.map(([key]) => key)).toEqual([]);
});

/** The whole file around an example: a file, a list of bindings, or settings of one binding. */
function fileOf(example: string): string {
  const parsed = parse(example);
  if ("version" in parsed) return example;
  const targets = [{ namespace: "shop", name: "db" }];
  return withBindings(
    stringify(Array.isArray(parsed) ? parsed : [{ source: "prod/db", targets, ...parsed }]),
  );
}

function propertiesOf(definition: string): object {
  return (schema.$defs as Record<string, { properties?: object }>)[definition]?.properties ?? {};
}

function resolved(part: { $ref?: string }): object {
  const name = part.$ref?.replace("#/$defs/", "") ?? "";
  return { ...(schema.$defs as Record<string, object>)[name], ...part };
}
