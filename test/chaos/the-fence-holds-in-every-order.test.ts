import { describe, expect, it } from "vitest";
import { explore } from "../../chaos/model/explore.ts";
import type { Violation } from "../../chaos/model/invariants.ts";
import { IMMUTABLE_SCOPES, SCOPES } from "../../chaos/model/scopes.ts";
import type { Protocol, Scope } from "../../chaos/model/state.ts";

const OLDER: Violation = "an older value landed after a newer one";
const UNSEEN: Violation = "a Secret was written that had not been looked at";
const BACK: Violation = "a deleted Secret came back by an update";
const FOREIGN: Violation = "somebody else's Secret was written over, or deleted";
const ANOTHER: Violation = "a Secret was deleted that is not the one that was looked at";
const WRONG: Violation = "in the end the Secret does not hold AWSCURRENT";

const ALL = { ...SCOPES, ...IMMUTABLE_SCOPES };

// The scopes that take seconds are walked through in test/long/chaos.

describe("the fence, in every order of its steps,", () => {
  it.each(Object.entries(SCOPES))("holds: %s", (_name, scope) => {
    const { states, counterexamples } = explore(scope);

    expect(Object.fromEntries(counterexamples)).toEqual({});
    expect(states).toBeGreaterThan(1_000); // a scope in which nothing happens would prove nothing
  });
});

describe("a mistake in the protocol is found, with the steps that lead there:", () => {
  const cases: { protocol: Protocol; scope: keyof typeof ALL; breaks: Violation }[] = [
    { protocol: "fence off", scope: "three invocations", breaks: OLDER },
    { protocol: "fence off", scope: "somebody deletes the Secret", breaks: BACK },
    { protocol: "no uid in the fence", scope: "somebody deletes the Secret", breaks: BACK },
    { protocol: "unconditional create", scope: "no Secret yet", breaks: UNSEEN },
    { protocol: "no check after the create", scope: "somebody deletes the Secret", breaks: WRONG },
    { protocol: "source before live", scope: "three invocations", breaks: OLDER },
    { protocol: "no confirming read", scope: "stale reads of AWSCURRENT", breaks: OLDER },
    { protocol: "believes what was not confirmed", scope: "stale reads of AWSCURRENT", breaks: OLDER },
    { protocol: "leaves without a fence", scope: "a rotation and its rollback", breaks: WRONG },
    { protocol: "a lost fence taken for done", scope: "three invocations", breaks: WRONG },
    { protocol: "writes over what is somebody else's", scope: "no Secret yet", breaks: FOREIGN },
    {
      protocol: "deletes whatever is there",
      scope: "an immutable Secret, two moves, one killed",
      breaks: FOREIGN,
    },
    {
      protocol: "deletes whatever is there",
      scope: "an immutable Secret, a rotation and its rollback",
      breaks: ANOTHER,
    },
    {
      protocol: "no check after the create",
      scope: "an immutable Secret, two moves, one killed",
      breaks: WRONG,
    },
  ];
  it.each(cases)("$protocol, by $scope", ({ protocol, scope, breaks }) => {
    const { counterexamples } = explore(ALL[scope], protocol, breaks);

    expect([...counterexamples.keys()]).toContain(breaks);
    expect(counterexamples.get(breaks)?.length).toBeGreaterThan(3);
  });
});

describe("what the fence rests on, and does not promise:", () => {
  it("two stale reads in a row by one invocation confirm each other", () => {
    const scope: Scope = { ...SCOPES["stale reads of AWSCURRENT"], staleInARow: 2 };
    expect([...explore(scope).counterexamples.keys()]).toContain(OLDER);
  });

  it("a rollback whose event names no version is not told from a Secret that was right all along", () => {
    const untold = [
      { for: 1, isTold: true },
      { for: 2, isTold: false },
    ];
    const { counterexamples } = explore({ ...SCOPES["a rotation and its rollback"], invocations: untold });
    expect([...counterexamples.keys()]).toEqual([WRONG]);
  });
});
