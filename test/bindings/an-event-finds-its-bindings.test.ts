import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBindingIndex } from "../../shared/bindings/binding-index.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { parseEvents } from "../../shared/events/parse-events.ts";
import { parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import type { SecretReference } from "../../shared/source/secret-id.ts";
import { withBindings } from "./bindings-text.ts";

const SELF = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };
const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:";

const indexOf = (...sources: string[]) => {
  const bindings = sources.map(
    (source, i) => `  - { source: "${source}", targets: [{ namespace: shop, name: s${i} }] }\n`,
  );
  return createBindingIndex(loadBindings(withBindings(bindings.join("")), "bindings.yaml"), SELF);
};
const seen = (text: string, origin: "full-arn" | "any" = "any"): SecretReference => {
  const reference = parseSecretReference(text, origin);
  if (reference === undefined) throw new Error(`${text} is not a reference`);
  return reference;
};
const idsFor = (index: ReturnType<typeof indexOf>, reference: SecretReference): string[] =>
  index.find(reference).map(({ source }) => source.id);

describe("an event with the full ARN", () => {
  const event = seen(`${ARN}prod/db-AbCdEf`, "full-arn");

  it.each(["prod/db", `${ARN}prod/db-AbCdEf`, `${ARN}prod/db`])(
    "finds the binding with the source %s",
    (source) => {
      expect(idsFor(indexOf("other", source), event)).toEqual([source]);
    },
  );

  it.each([
    `${ARN}prod/db-GhIjKl`,
    `${ARN.replace("eu-west-1", "us-east-1")}prod/db`,
    `${ARN.replace("111122223333", "444455556666")}prod/db`,
    "prod/db-AbCdEf",
    "prod",
    "__proto__",
  ])("does not find the binding with the source %s", (source) => {
    expect(idsFor(indexOf(source), event)).toEqual([]);
  });

  it("finds each spelling of the same secret", () => {
    expect(idsFor(indexOf("prod/db", `${ARN}prod/db`), event)).toEqual(["prod/db", `${ARN}prod/db`]);
  });
});

it("a source that is bound twice is found once, with both bindings", () => {
  const [found, ...others] = indexOf("prod/db", "other", "prod/db").find(seen("prod/db"));

  expect(others).toEqual([]);
  expect(found?.bindings.map(({ target }) => target.name)).toEqual(["s0", "s2"]);
});

it("an ambiguous ARN finds both possible secrets", () => {
  const index = indexOf("prod/db", "prod/db-AbCdEf");

  expect(idsFor(index, seen(`${ARN}prod/db-AbCdEf`)).sort()).toEqual(["prod/db", "prod/db-AbCdEf"]);
});

it.each(["__proto__", "constructor", "toString"])("a source called %s is a source like any other", (name) => {
  expect(idsFor(indexOf(name), seen(name))).toEqual([name]);
  expect(idsFor(indexOf("prod/db"), seen(name))).toEqual([]);
});

it("lists every source of the file once, and its clusters", () => {
  const index = indexOf("a", "b", "a");

  expect(index.sources.map(({ source }) => source.id)).toEqual(["a", "b"]);
  expect(index.clusters).toEqual({ prod: { name: "prod-eks", region: "eu-west-1" } });
});

it("every bound name finds its own binding, for any names", () => {
  const anyName = fc.stringMatching(/^[A-Za-z0-9/_+=.@!-]{1,20}$/);
  fc.assert(
    fc.property(fc.uniqueArray(anyName, { minLength: 1, maxLength: 8 }), (names) => {
      const index = indexOf(...names);

      for (const name of names) {
        expect(idsFor(index, seen(name))).toEqual([name]);
        expect(idsFor(index, seen(`${ARN}${name}-AbCdEf`, "full-arn"))).toEqual([name]);
      }
    }),
  );
});

describe("a webhook id", () => {
  const bindings = `
  - { source: prod/db, webhookId: shop, targets: [{ namespace: shop, name: a }] }
  - { source: prod/db, targets: [{ namespace: shop, name: b }] }
  - { source: prod/mail, webhookId: shop, targets: [{ namespace: shop, name: c }] }
  - { source: prod/other, webhookId: constructor, targets: [{ namespace: shop, name: d }] }
`;
  const index = createBindingIndex(loadBindings(withBindings(bindings), "bindings.yaml"), SELF);
  const targetsBy = (webhookId: string) =>
    index.findByWebhookId(webhookId).map((found) => found.bindings.map(({ target }) => target.name));

  it("finds every source with a binding that has the id, with all bindings of that source", () => {
    expect(targetsBy("shop")).toEqual([["a", "b"], ["c"]]);
  });

  it.each(["Shop", "", "prod/db", "__proto__", "toString"])("finds nothing for %s", (webhookId) => {
    expect(targetsBy(webhookId)).toEqual([]);
  });

  it("is valid in bindings if it is valid in a direct call, and only then", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 130 }), fc.stringMatching(/^[\w.-]{1,130}$/)),
        (webhookId) => {
          const binding = { source: "a", webhookId, targets: [{ namespace: "shop", name: "a" }] };
          const text = withBindings(`  - ${JSON.stringify(binding)}\n`);
          const isTaken = parseEvents({ webhookId }, 0)[0]?.kind === "webhook-call";
          if (isTaken) expect(loadBindings(text, "b.yaml").bindings[0]?.webhookId).toBe(webhookId);
          else expect(() => loadBindings(text, "b.yaml")).toThrow(/webhook id/);
        },
      ),
    );
  });
});
