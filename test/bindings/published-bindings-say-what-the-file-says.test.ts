import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Binding, CompiledBindings } from "../../shared/bindings/binding.ts";
import { createBindingIndex } from "../../shared/bindings/binding-index.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { publishedRules } from "../../shared/bindings/published/published-rules.ts";
import { splitIntoParts } from "../../shared/bindings/published/split-into-parts.ts";
import { parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import type { SecretReference } from "../../shared/source/secret-id.ts";
import { anyBindingsFile } from "./any-bindings-file.ts";
import { BUDGET, memoryStore, SELF } from "./memory-store.ts";

const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:";

describe("a source", () => {
  it("has the same bindings in the store as in the file, for any file", async () => {
    await fc.assert(
      fc.asyncProperty(anyBindingsFile, async (file) => {
        const compiled = loadBindings(JSON.stringify(file), "any.json");

        await expectSameBindings(compiled, referencesIn(compiled));
      }),
    );
  });

  it("has the same bindings among many parts, by each spelling", async () => {
    const compiled = fleet(1_000);
    expect(splitIntoParts(compiled).content.parts.length).toBe(16);
    const some = referencesIn(compiled).filter((_, at) => at % 23 === 0);
    const byArn = some.map(({ id }) => reference(`${ARN}${id}-AbCdEf`));

    await expectSameBindings(compiled, [...some, ...byArn, reference("absent"), reference("__proto__")]);
  });

  it("costs one read of the pointer and one of a part, and nothing the second time", async () => {
    const store = memoryStore();
    store.publish(fleet(1_000));
    const published = publishedRules(store.readObject);

    const rules = await published.known(BUDGET);
    await rules.find(SELF, { source: reference("team/db-7") }, BUDGET);
    expect(store.reads).toEqual(["bindings.json", expect.stringMatching(/^parts\/[0-9a-f]{32}\.json$/)]);

    await (await published.known(BUDGET)).find(SELF, { source: reference("team/db-7") }, BUDGET);
    expect(store.reads.length).toBe(2);
  });
});

it("a webhook id has the same bindings in the store as in the file", async () => {
  const compiled = loadBindings(
    JSON.stringify({
      version: 1,
      clusters: CLUSTERS,
      bindings: Array.from({ length: 500 }, (_, at) => ({
        source: `team/db-${at % 400}`,
        ...(at % 3 !== 0 && { webhookId: `hook-${at % 250}-of-a-team` }),
        targets: [{ namespace: "shop", name: `db-${at}` }],
      })),
    }),
    "file",
  );
  const store = memoryStore();
  store.publish(compiled);
  const rules = await publishedRules(store.readObject).latest(BUDGET);
  const whole = createBindingIndex(compiled, SELF);

  for (const webhookId of ["hook-4-of-a-team", "hook-8-of-a-team", "hook-249-of-a-team", "hook-of-no-team"]) {
    const index = await rules.find(SELF, { webhookId }, BUDGET);
    expect(targetsOf(index.findByWebhookId(webhookId))).toEqual(targetsOf(whole.findByWebhookId(webhookId)));
  }
});

it("all bindings together are those of the file, a binding of several sources once", async () => {
  const bindings = Array.from({ length: 300 }, (_, at) => ({
    sources: [
      { source: `team/db-${at}`, keys: ["user"] },
      { source: `team/cache-${at}`, keys: ["password"] },
    ],
    targets: [{ namespace: "shop", name: `db-${at}` }],
  }));
  const compiled = loadBindings(JSON.stringify({ version: 1, clusters: CLUSTERS, bindings }), "file");
  const store = memoryStore();
  store.publish(compiled);

  const index = await (await publishedRules(store.readObject).latest(BUDGET)).all(SELF, BUDGET);

  expect(new Map(index.bindings.map((each) => [each.target.name, each]))).toEqual(
    new Map(compiled.bindings.map((each) => [each.target.name, each])),
  );
  expect(index.bindings.length).toBe(300);
});

it("the parts do not depend on the order of the file, and a change of one binding changes one part", () => {
  const compiled = fleet(1_000);
  const { parts } = splitIntoParts(compiled).content;

  expect(splitIntoParts({ ...compiled, bindings: compiled.bindings.toReversed() }).content.parts).toEqual(
    parts,
  );
  const [first, ...others] = compiled.bindings as [Binding, ...Binding[]];
  const changed = splitIntoParts({
    ...compiled,
    bindings: [{ ...first, type: "example.com/db" }, ...others],
  });
  expect(changed.content.parts.filter((hash, at) => hash !== parts[at]).length).toBe(1);
});

const CLUSTERS = { main: { name: "prod-eks", region: "eu-west-1" } };

function fleet(count: number): CompiledBindings {
  const bindings = Array.from({ length: count }, (_, at) => ({
    source: `team/db-${at}`,
    targets: [{ namespace: `shop-${at % 7}`, name: `db-${at}` }],
  }));
  return loadBindings(JSON.stringify({ version: 1, clusters: CLUSTERS, bindings }), "fleet");
}

async function expectSameBindings(compiled: CompiledBindings, references: readonly SecretReference[]) {
  const store = memoryStore();
  store.publish(compiled);
  const rules = await publishedRules(store.readObject).latest(BUDGET);
  const whole = createBindingIndex(compiled, SELF);
  for (const source of references) {
    const index = await rules.find(SELF, { source }, BUDGET);
    expect(targetsOf(index.find(source))).toEqual(targetsOf(whole.find(source)));
  }
}

const referencesIn = ({ bindings }: CompiledBindings): SecretReference[] =>
  bindings.flatMap(({ sources }) => sources.map(({ id }) => reference(id)));

function reference(id: string): SecretReference {
  const parsed = parseSecretReference(id, "any");
  if (parsed === undefined) throw new TypeError(`Not a reference: ${id}`);
  return parsed;
}

const targetsOf = (bound: ReturnType<ReturnType<typeof createBindingIndex>["find"]>) =>
  bound
    .flatMap(({ source, bindings }) =>
      bindings.map(({ target, fingerprint }) => JSON.stringify([source.id, target, fingerprint])),
    )
    .toSorted();
