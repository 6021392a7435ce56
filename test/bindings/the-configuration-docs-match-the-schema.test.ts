import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { withReference } from "../../scripts/generate-configuration-docs.ts";
import schema from "../../shared/bindings/bindings.schema.json" with { type: "json" };
import { problemsOf } from "./bindings-text.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const docs = await readFile(path.join(ROOT, "docs/configuration.md"), "utf8");

it("the reference matches the schema; `node scripts/generate-configuration-docs.ts` updates it", () => {
  expect(docs).toBe(withReference(docs));
});

it("the reference has every setting of the schema", () => {
  const settings = [
    schema.properties,
    ...["cluster", "defaults", "binding", "target"].map(propertiesOf),
  ].flatMap(Object.keys);

  expect(settings.length).toBeGreaterThan(20);
  for (const setting of settings) expect(docs).toContain(`| \`${setting}\` |`);
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

it("the example of the page loads", () => {
  expect(problemsOf(exampleOf(docs))).toEqual([]);
});

it("loading reports the example mistakes as the page shows them", () => {
  const shown = docs.split("\n").filter((line) => line.startsWith("bindings.yaml:"));
  const wrong = exampleOf(docs)
    .replace("eu-west-1", "eu-west-1a")
    .replace("namespace: shop", "namespace: Shop");

  const problems = problemsOf(wrong);

  expect(shown).toEqual(
    problems.map(
      ({ line, column, path, message, fix }) =>
        `bindings.yaml:${line}:${column}: ${path}: ${message}. ${fix}.`,
    ),
  );
});

function exampleOf(text: string): string {
  return /```yaml\n([^`]+)```/.exec(text)?.[1] ?? "";
}

function propertiesOf(definition: string): object {
  return (schema.$defs as Record<string, { properties?: object }>)[definition]?.properties ?? {};
}

function resolved(part: { $ref?: string }): object {
  const name = part.$ref?.replace("#/$defs/", "") ?? "";
  return { ...(schema.$defs as Record<string, object>)[name], ...part };
}
