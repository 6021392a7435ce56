import { describe, expect, it } from "vitest";
import { explore } from "../../chaos/model/explore.ts";
import { IMMUTABLE_SCOPES, LARGE_SCOPES, SCOPES } from "../../chaos/model/scopes.ts";

// Walks of seconds each; test/chaos explores the small scopes and finds the mistakes. About 20 s.

describe("the fence, in every order of its steps,", () => {
  it.each(Object.entries({ ...IMMUTABLE_SCOPES, ...LARGE_SCOPES }))("holds: %s", (_name, scope) => {
    const { states, counterexamples } = explore(scope);

    expect(Object.fromEntries(counterexamples)).toEqual({});
    expect(states).toBeGreaterThan(1_000); // a scope in which nothing happens would prove nothing
  });
});

describe("a known limit of the fence:", () => {
  it("a create that a killed invocation left in flight may land after a deletion, until the next sweep", () => {
    const { budget, ...scope } = SCOPES["an operator deletes the Secret"];
    const { counterexamples } = explore({ ...scope, budget: { ...budget, orphans: 1 } });
    expect([...counterexamples.keys()]).toEqual(["in the end the Secret does not hold AWSCURRENT"]);
  });
});
