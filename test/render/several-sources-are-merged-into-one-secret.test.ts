import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Binding, BoundSource, KeyRule } from "../../shared/bindings/binding.ts";
import { RenderError } from "../../shared/render/errors.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { ARN, aBinding, shownData, textSource } from "./factories.ts";

const ALL: KeyRule = { kind: "all" };
const bind = (sources: readonly Partial<BoundSource>[], more: Partial<Binding> = {}): Binding => {
  const [first, ...others] = sources.map((source, index): BoundSource => {
    return { id: `prod/${index}`, names: [`prod/${index}`], keys: ALL, ...source };
  });
  return aBinding({ sources: [first as BoundSource, ...others], ...more });
};
const arnOf = (index: number): string => ARN.replace("prod/db", `prod/${index}`);
const render = async (binding: Binding, texts: readonly string[], versions = texts.map(() => "v")) => {
  const reads = texts.map((text, index) =>
    textSource(text, { arn: arnOf(index), versionId: `${versions[index]}-${index}` as VersionId }),
  );
  return renderSecret(binding, reads, RELAY_METADATA, await loadRenderers(binding));
};

describe("the data", () => {
  it("is merged from all sources, each with its own rule", async () => {
    const binding = bind([
      { keys: { kind: "selected", keys: { DB: "password" } } },
      { keys: { kind: "composed", keys: { URL: { template: "x://{{ host }}" }, N: { jmespath: "a[0]" } } } },
      { keys: { kind: "value", key: "license.bin", decode: "base64" } },
      { keys: { kind: "extracted", include: ["c_*"], exclude: [], rename: [] } },
    ]);

    const desired = await render(binding, [
      '{"password":"p","other":"o"}',
      '{"host":"h","a":[1.10]}',
      "aGk=",
      '{"c_1":"x","d":"y"}',
    ]);

    expect(shownData(desired)).toEqual({ DB: "p", URL: "x://h", N: "1.10", "license.bin": "hi", c_1: "x" });
    expect(desired).not.toHaveProperty("collisions");
  });

  it("is checked against the type after the merge", async () => {
    const binding = bind(
      [
        { keys: { kind: "selected", keys: { username: "u" } } },
        { keys: { kind: "selected", keys: { password: "p" } } },
      ],
      { type: "kubernetes.io/basic-auth" },
    );
    expect(shownData(await render(binding, ['{"u":"app"}', '{"p":"p"}']))).toEqual({
      username: "app",
      password: "p",
    });
    await expect(render(binding, ['{"u":"a:b"}', '{"p":"p"}'])).rejects.toMatchObject({
      code: "BASIC_AUTH_INVALID",
    });
  });

  it("can come from one source: a pattern without a match in another is not an error", async () => {
    const none: KeyRule = { kind: "extracted", include: ["x*"], exclude: [], rename: [] };
    expect(shownData(await render(bind([{}, { keys: none }]), ['{"a":"1"}', '{"b":"2"}']))).toEqual({
      a: "1",
    });
    await expect(
      render(bind([{ keys: none }, { keys: none }]), ['{"a":"1"}', '{"b":"2"}']),
    ).rejects.toMatchObject({ code: "TARGET_EMPTY" });
  });
});

describe("a key from two sources", () => {
  const texts = ['{"a":"1","b":"1"}', '{"b":"2","c":"2"}', '{"b":"3"}'];

  it("is refused, and the key and its sources are named with their labels", async () => {
    const version = "v".repeat(32) as VersionId;
    const binding = bind([{}, { id: "prod/0", stage: "AWSPREVIOUS" }, { id: "prod/0", versionId: version }]);

    const error = await render(binding, texts).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code: "DATA_KEYS_COLLIDE" });
    expect(String(error)).toContain(`b (prod/0, prod/0 (AWSPREVIOUS), prod/0 (version ${version}))`);
  });

  it("comes from the last source with collisions: last, and is reported", async () => {
    const desired = await render(bind([{}, {}, {}], { collisions: "last" }), texts);

    expect(shownData(desired)).toEqual({ a: "1", b: "3", c: "2" });
    expect(desired.collisions).toEqual([{ key: "b", sources: ["prod/0", "prod/1", "prod/2"] }]);
  });
});

describe("a missing", () => {
  it.each([
    { it: "key", keys: { kind: "selected", keys: { k: "nope" } }, says: `${arnOf(1)} has no key nope` },
    {
      it: "match of a pattern",
      keys: { kind: "extracted", include: ["nope"], exclude: [], rename: [] },
      says: arnOf(1),
    },
    {
      it: "result of an expression",
      keys: { kind: "composed", keys: { k: { jmespath: "nope" } } },
      says: arnOf(1),
    },
    { it: "variable", keys: { kind: "composed", keys: { k: { template: "{{ nope }}" } } }, says: arnOf(1) },
  ] as { it: string; keys: KeyRule; says: string }[])(
    "$it is reported with the ARN of its source",
    async ({ keys, says }) => {
      const error = await render(bind([{}, { keys }]), ['{"nope":"1"}', '{"b":"2"}']).catch(
        (thrown: unknown) => thrown,
      );
      expect(String(error)).toContain(says);
    },
  );
});

describe("the annotations", () => {
  it("name every source and every version, in the order of the binding", async () => {
    const { annotations } = await render(bind([{}, {}]), ['{"a":"1"}', '{"b":"2"}']);

    expect(annotations).toMatchObject({
      "secret-relay/source": `${arnOf(0)},${arnOf(1)}`,
      "secret-relay/source-versions": "v-0 v-1",
      "secret-relay/version-id": expect.stringMatching(/^several-[0-9a-f]{32}$/),
    });
  });

  it("have one version id that depends on the version of each source, and never on a value", async () => {
    const versionOf = async (texts: readonly string[], versions: readonly string[]) =>
      (await render(bind([{}, {}]), texts, [...versions])).versionId;
    const [one, two] = ['{"a":"1"}', '{"b":"2"}'];
    const base = await versionOf([one, two], ["v", "v"]);

    expect(await versionOf(['{"a":"other"}', '{"b":"other"}'], ["v", "v"])).toBe(base);
    expect(await versionOf([one, two], ["w", "v"])).not.toBe(base);
    expect(await versionOf([one, two], ["v", "w"])).not.toBe(base);
  });

  it("have the version id of the source if there is only one", async () => {
    const { annotations, versionId } = await render(bind([{ stage: "GREEN" }]), ['{"a":"1"}']);

    expect(versionId).toBe("v-0");
    expect(annotations).toMatchObject({ "secret-relay/version-id": "v-0", "secret-relay/source": arnOf(0) });
    expect(annotations).not.toHaveProperty("secret-relay/source-versions");
  });
});

describe("for any content of the sources", () => {
  const anyText = fc.oneof(
    fc
      .dictionary(fc.constantFrom("a", "b", "c", "d.e", "__proto__", " "), fc.jsonValue({ maxDepth: 2 }))
      .map((value) => JSON.stringify(value)),
    fc.json({ maxDepth: 2 }),
    fc.string({ unit: "binary" }),
  );
  const anyRule = fc.constantFrom<KeyRule>(
    ALL,
    { kind: "selected", keys: { x: "a" } },
    { kind: "value", key: "v" },
    { kind: "value", key: "v", decode: "base64url" },
    { kind: "composed", keys: { a: { jmespath: "b" } } },
    { kind: "composed", keys: { t: { template: "{{ a }}{{ b | json }}" } } },
    { kind: "extracted", include: ["a*", "b*"], exclude: ["b"], rename: [{ pattern: "a", to: "c" }] },
  );
  const anySource = fc.record({ text: anyText, keys: anyRule });

  it("rendering returns one valid Secret or one of our errors, and the same every time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anySource, { minLength: 1, maxLength: 4 }),
        fc.constantFrom("last" as const, undefined),
        async (sources, collisions) => {
          const binding = bind(
            sources.map(({ keys }) => ({ keys })),
            collisions && { collisions },
          );
          const run = () =>
            render(
              binding,
              sources.map(({ text }) => text),
            ).catch((error: unknown) => {
              expect(error).toBeInstanceOf(RenderError);
              return String(error);
            });
          const [first, second] = [await run(), await run()];
          if (typeof first === "string" || typeof second === "string") {
            expect(second).toBe(first);
            return;
          }
          expect(shownData(second)).toEqual(shownData(first));
          for (const key of first.data.keys())
            expect(key).toMatch(/^(?!\.$|\.\.|__proto__$)[-._a-zA-Z0-9]{1,253}$/);
          // Each key comes from a source, and the last source that has it wins.
          const parts = await Promise.all(
            sources.map(({ text, keys }) => render(bind([{ keys }]), [text]).then(shownData, () => ({}))),
          );
          expect(shownData(first)).toEqual(Object.assign({}, ...parts));
        },
      ),
      { numRuns: 300 },
    );
  });
});
