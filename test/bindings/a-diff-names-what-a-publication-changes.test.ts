import fc from "fast-check";
import { expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { diffBindings, isEmptyDiff } from "../../shared/bindings/published/diff-bindings.ts";
import { anyBindingsFile } from "./any-bindings-file.ts";

const anyCompiled = anyBindingsFile.map((file) => loadBindings(JSON.stringify(file), "any"));
const nameOf = ({ target }: { target: object }) => JSON.stringify(target);

it("bindings do not differ from themselves, in any order", () => {
  fc.assert(
    fc.property(anyCompiled, (compiled) => {
      const reversed = { ...compiled, bindings: compiled.bindings.toReversed() };
      expect(isEmptyDiff(diffBindings(compiled, reversed))).toBe(true);
    }),
  );
});

it("the old bindings with the difference are the new ones", () => {
  fc.assert(
    fc.property(anyCompiled, anyCompiled, (before, after) => {
      const { added, removed, changed } = diffBindings(before, after);
      const result = new Map(before.bindings.map((each) => [nameOf(each), each]));
      for (const each of removed) expect(result.delete(nameOf(each))).toBe(true);
      for (const { before: was, after: is, fields } of changed) {
        expect(result.get(nameOf(was))).toEqual(was);
        expect(fields.length).toBeGreaterThan(0);
        result.set(nameOf(is), is);
      }
      for (const each of added) result.set(nameOf(each), each);

      expect(result).toEqual(new Map(after.bindings.map((each) => [nameOf(each), each])));
    }),
  );
});

it("a changed binding is named with its changed fields, and not with its fingerprint", () => {
  const file = (more: object) =>
    loadBindings(
      JSON.stringify({
        version: 1,
        clusters: { main: { name: "prod-eks", region: "eu-west-1" } },
        bindings: [{ source: "team/db", targets: [{ namespace: "shop", name: "db" }], ...more }],
      }),
      "file",
    );
  const [change] = diffBindings(file({}), file({ keys: ["user"], labels: { team: "shop" } })).changed;

  expect(change?.fields.toSorted()).toEqual(["labels", "sources"]);
});
