import { describe, expect, it } from "vitest";
import { explore } from "./model/explore.ts";
import type { Violation } from "./model/invariants.ts";
import { IMMUTABLE_SCOPES, RULES_SCOPES, SCOPES } from "./model/scopes.ts";
import type { Protocol, Scope } from "./model/state.ts";

const OLDER: Violation = "an older value landed after a newer one";
const UNSEEN: Violation = "a Secret was written that had not been read";
const BACK: Violation = "a deleted Secret came back by an update";
const FOREIGN: Violation = "another owner's Secret was overwritten or deleted";
const ANOTHER: Violation = "the deleted Secret is not the one that was read";
const OLDER_RULES: Violation = "older rules landed after newer ones";
const BOUND: Violation = "a Secret was deleted that the bindings in force bind";
const OTHER_RULES: Violation = "in the end the Secret does not follow the bindings in force";
const WRONG: Violation = "in the end the Secret does not hold AWSCURRENT";

const ALL = { ...SCOPES, ...IMMUTABLE_SCOPES, ...RULES_SCOPES };

// test/long/chaos explores the scopes that take seconds.

describe("the fence, in every order of its steps,", () => {
  it.each(Object.entries<Scope>({ ...SCOPES, ...RULES_SCOPES }))("holds: %s", (_name, scope) => {
    const { states, counterexamples } = explore(scope);

    expect(Object.fromEntries(counterexamples)).toEqual({});
    expect(states).toBeGreaterThan(1_000); // a scope in which nothing happens would prove nothing
  });
});

describe("an error in the protocol is found, with the steps that lead to it:", () => {
  const cases: { protocol: Protocol; scope: keyof typeof ALL; breaks: Violation }[] = [
    { protocol: "fence off", scope: "three invocations", breaks: OLDER },
    { protocol: "fence off", scope: "an operator deletes the Secret", breaks: BACK },
    { protocol: "no uid in the fence", scope: "an operator deletes the Secret", breaks: BACK },
    { protocol: "unconditional create", scope: "no Secret yet", breaks: UNSEEN },
    { protocol: "no check after the create", scope: "an operator deletes the Secret", breaks: WRONG },
    { protocol: "source before live", scope: "three invocations", breaks: OLDER },
    { protocol: "no confirming read", scope: "stale reads of AWSCURRENT", breaks: OLDER },
    { protocol: "trusts an unconfirmed read", scope: "stale reads of AWSCURRENT", breaks: OLDER },
    { protocol: "leaves without a fence", scope: "a rotation and its rollback", breaks: WRONG },
    { protocol: "a lost fence treated as success", scope: "three invocations", breaks: WRONG },
    { protocol: "overwrites another owner's Secret", scope: "no Secret yet", breaks: FOREIGN },
    {
      protocol: "deletes without a precondition",
      scope: "an immutable Secret, two moves, one killed",
      breaks: FOREIGN,
    },
    {
      protocol: "deletes without a precondition",
      scope: "an immutable Secret, a rotation and its rollback",
      breaks: ANOTHER,
    },
    {
      protocol: "no check after the create",
      scope: "an immutable Secret, two moves, one killed",
      breaks: WRONG,
    },
    { protocol: "pointer before live", scope: "two generations, an existing Secret", breaks: OLDER_RULES },
    { protocol: "newer rules ignored", scope: "two generations, an existing Secret", breaks: OLDER_RULES },
    {
      protocol: "unknown rules taken for the ones in force",
      scope: "two generations, an existing Secret",
      breaks: OLDER_RULES,
    },
    {
      protocol: "no pointer read after the create",
      scope: "two generations, no Secret yet",
      breaks: OTHER_RULES,
    },
    {
      protocol: "unknown rules after a create believed",
      scope: "two generations, no Secret yet",
      breaks: OTHER_RULES,
    },
    {
      protocol: "deletes without a pointer read",
      scope: "a binding is removed and comes back",
      breaks: BOUND,
    },
    {
      protocol: "unknown rules taken for the ones in force",
      scope: "a binding is removed and comes back",
      breaks: BOUND,
    },
  ];
  it.each(cases)("$protocol, by $scope", ({ protocol, scope, breaks }) => {
    const { counterexamples } = explore(ALL[scope], protocol, breaks);

    expect([...counterexamples.keys()]).toContain(breaks);
    expect(counterexamples.get(breaks)?.length).toBeGreaterThan(3);
  });
});

describe("a known limit of the fence:", () => {
  it("two stale reads in a row by one invocation confirm each other", () => {
    const scope: Scope = { ...SCOPES["stale reads of AWSCURRENT"], staleInARow: 2 };
    expect([...explore(scope).counterexamples.keys()]).toContain(OLDER);
  });

  it("bindings that return to what the Secret already follows leave it without a fence, until the next sweep", () => {
    const scope = { ...RULES_SCOPES["two generations, an existing Secret"], generations: "pqp" };
    expect([...explore(scope, "as it is", OTHER_RULES).counterexamples.keys()]).toEqual([OTHER_RULES]);
  });

  it("without S3, an invocation believes in the rules of a Secret that it has created itself", () => {
    const { budget, ...scope } = RULES_SCOPES["two generations, no Secret yet"];
    const { counterexamples } = explore(
      { ...scope, budget: { ...budget, lostAnswers: 1 } },
      "as it is",
      OTHER_RULES,
    );
    expect([...counterexamples.keys()]).toEqual([OTHER_RULES]);
  });

  it("a rollback whose event names no version looks like a Secret that was always right", () => {
    const untold = [
      { for: 1, isTold: true },
      { for: 2, isTold: false },
    ];
    const { counterexamples } = explore({ ...SCOPES["a rotation and its rollback"], invocations: untold });
    expect([...counterexamples.keys()]).toEqual([WRONG]);
  });
});
