import { expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { withBindings } from "../bindings/bindings-text.ts";

// Takes some 15 s.
it("a file of 50,000 bindings loads", { timeout: 120_000 }, () => {
  const bindings = Array.from(
    { length: 50_000 },
    (_, i) =>
      `  - source: team-${i}/db\n    targets: [{ namespace: team-${i % 500}, name: db-${i} }]\n    keys: [username]\n`,
  );

  const compiled = loadBindings(withBindings(bindings.join("")), "bindings.yaml");

  expect(compiled.bindings).toHaveLength(50_000);
  expect(compiled.bindings[49_999]?.target).toEqual({
    cluster: "prod",
    namespace: "team-499",
    name: "db-49999",
  });
});
