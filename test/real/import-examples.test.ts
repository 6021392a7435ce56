import { describe, expect, it } from "vitest";
import { readExampleResults } from "../../scripts/eso-constructs.ts";
import type { SourceEntry } from "../../shared/bindings/bindings-file.ts";
import { type Example, readExamples, resultOf } from "./external-secrets/examples.ts";

const examples = readExamples();

it("finds the examples of ESO's documentation", () => expect(examples.length).toBeGreaterThan(20));

it("examples.json has the result of each; `node test/real/external-secrets/examples.ts` updates it", () => {
  expect(examples.map(resultOf)).toEqual(readExampleResults());
});

describe.each(examples.map((example) => [example.file, example] as const))("%s", (_, example) => {
  it("is converted, or refused with a reason for each location", () => {
    const { converted, notConverted, unread, manifests } = example;
    const asked = manifests.filter(({ kind }) => kind.endsWith("ExternalSecret"));

    expect(converted.length + notConverted.length).toBe(asked.length);
    expect(converted.length + notConverted.length > 0 || unread !== undefined).toBe(true);
    for (const { objections } of notConverted) {
      expect(objections.length).toBeGreaterThan(0);
      for (const { path, reason } of objections)
        expect(`${path}: ${reason}`).toMatch(/^(spec|apiVersion).*: ./);
    }
  });

  it("reads the same properties of the same secrets into the same keys, where it is converted", () => {
    expect(readByBindings(example).sort()).toEqual(readByExternalSecrets(example).sort());
  });
});

/** `key <- secret # property`, `key <- secret` for a whole value, and `* <- secret` for all keys. */
function readByBindings({ converted }: Example): string[] {
  return converted.flatMap(({ entry }) => (entry.sources ?? [entry as SourceEntry]).flatMap(readsOf));
}

function readsOf({ source, value, keys }: SourceEntry): string[] {
  if (value !== undefined) return [`${value} <- ${source}`];
  if (keys === undefined || keys === "all") return [`* <- ${source}`];
  return Object.entries(keys).map(
    ([key, from]) => `${key} <- ${source} # ${typeof from === "string" ? from : JSON.stringify(from)}`,
  );
}

function readByExternalSecrets({ converted, manifests }: Example): string[] {
  const names = new Set(converted.map(({ resource }) => resource.split("/").at(-1)));
  // biome-ignore lint/suspicious/noExplicitAny: whatever stands in an example
  const specs = manifests.filter(({ name }) => names.has(name)).map(({ object }) => object.spec as any);
  return specs.flatMap(({ data = [], dataFrom = [] }) => [
    ...dataFrom.map(({ extract }: { extract: { key: string } }) => `* <- ${extract.key}`),
    ...data.map(
      ({
        secretKey,
        remoteRef: { key, property },
      }: {
        secretKey: string;
        remoteRef: { key: string; property?: string };
      }) => (property === undefined ? `${secretKey} <- ${key}` : `${secretKey} <- ${key} # ${property}`),
    ),
  ]);
}
