import { describe, expect, it } from "vitest";
import { findCanary } from "../../cli/verify/canary.ts";
import { createBindingIndex } from "../../shared/bindings/binding-index.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";

const SELF = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };
const CANARY = "secret-relay/canary";
const target = { namespace: "shop", name: "secret-relay-canary" };
const canary = { source: CANARY, targets: [target] };
const db = { source: "prod/db", targets: [{ namespace: "shop", name: "db" }] };

const indexOf = (...bindings: readonly object[]) => {
  const clusters = { main: { name: "main", region: "eu-west-1" }, far: { name: "far", region: "eu-west-1" } };
  const file = { version: 1, clusters, defaults: { cluster: "main" }, bindings };
  return createBindingIndex(loadBindings(JSON.stringify(file), "bindings.yaml"), SELF);
};
const failureOf = (what: string | undefined, ...bindings: readonly object[]) => {
  try {
    findCanary(indexOf(...bindings), what);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  }
  return undefined;
};

describe("the canary", () => {
  it.each([
    CANARY,
    `prod/${CANARY}`,
    `arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/${CANARY}-AbCdEf`,
  ])("is found by the name of its source: %s", (source) => {
    const { binding } = findCanary(indexOf(db, { ...canary, source }), undefined);
    expect(binding.target).toEqual({ cluster: "main", ...target });
  });

  it.each(["shop/secret-relay-canary", CANARY])("can be named: %s", (what) => {
    expect(findCanary(indexOf(db, canary), what).source.id).toBe(CANARY);
  });

  it("must be named if there are several, and the message lists them", () => {
    const far = { source: `far/${CANARY}`, targets: [{ ...target, cluster: "far" }] };
    expect(failureOf(undefined, canary, far)).toMatchObject({
      code: "USAGE",
      message: expect.stringContaining(`far/shop/secret-relay-canary (source far/${CANARY})`),
    });
    expect(findCanary(indexOf(canary, far), `far/${CANARY}`).binding.target.cluster).toBe("far");
  });

  it("is missing from bindings without one, and the message says how to add it", () => {
    const { code, message } = failureOf(undefined, db) ?? {};
    expect(code).toBe("CANARY_NOT_BOUND");
    expect(message).toContain(
      `a source named ${CANARY}, or ending in /${CANARY} to be below SecretNamePrefix`,
    );
    expect(message).toContain("aws secretsmanager create-secret --name NAME");
    expect(message).toContain("secret-relay publish");
  });
});

describe("a binding is refused as the canary", () => {
  const away = { source: CANARY, targets: [{ namespace: "shop", name: "copy" }], keys: { copy: "verify" } };
  it.each([
    {
      it: "whose source has another name, because it would be overwritten",
      what: "shop/db",
      bindings: [db],
      says: "verify overwrites",
    },
    {
      it: "whose source only contains the name",
      what: "shop/x",
      bindings: [{ source: `${CANARY}-of-others`, targets: [{ namespace: "shop", name: "x" }] }],
      says: "is not named",
    },
    {
      it: "whose source another binding uses",
      what: "shop/secret-relay-canary",
      bindings: [canary, away],
      says: "its source has other targets",
    },
    {
      it: "whose source another binding names by its ARN",
      what: "shop/secret-relay-canary",
      bindings: [
        canary,
        { ...away, source: `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${CANARY}-AbCdEf` },
      ],
      says: "its source has other targets",
    },
    {
      it: "that restarts workloads",
      what: undefined,
      bindings: [{ ...canary, targets: [{ ...target, restart: "auto" }] }],
      says: "it restarts workloads",
    },
    {
      it: "that nudges Pods",
      what: undefined,
      bindings: [{ ...canary, targets: [{ ...target, nudge: true }] }],
      says: "it nudges Pods",
    },
    {
      it: "that follows another label",
      what: undefined,
      bindings: [{ ...canary, stage: "BLUE" }],
      says: "does not follow AWSCURRENT",
    },
    {
      it: "with keys of its own",
      what: undefined,
      bindings: [{ ...canary, keys: { other: "verify" } }],
      says: "keys or a type of its own",
    },
    {
      it: "with an immutable Secret",
      what: undefined,
      bindings: [{ ...canary, immutable: true, onChange: "refuse" }],
      says: "its Secret is immutable",
    },
    {
      it: "with a shared Secret",
      what: undefined,
      bindings: [{ ...canary, ownership: "keys" }],
      says: "others own keys",
    },
  ])("$it", ({ what, bindings, says }) => {
    const { code, message } = failureOf(what, ...bindings) ?? {};
    expect(message).toContain(says);
    expect(code).toBe("CANARY_UNSUITABLE");
    expect(message).toContain("Nothing was written.");
  });

  it("that has several targets, by the name of its source", () => {
    const several = { ...canary, targets: [target, { namespace: "shop", name: "copy" }] };
    expect(failureOf(CANARY, several)).toMatchObject({ code: "USAGE" });
    expect(failureOf("shop/copy", several)).toMatchObject({ code: "CANARY_UNSUITABLE" });
  });
});
