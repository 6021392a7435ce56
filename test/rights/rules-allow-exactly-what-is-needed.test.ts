import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { type PolicyRule, policyRules } from "../../shared/rights/policy-rules.ts";
import { type Right, VERBS } from "../../shared/rights/right.ts";
import { rightsOfBindings } from "../../shared/rights/rights-of-bindings.ts";

const GROUPS = ["", "apps"];
const RESOURCES = ["secrets", "deployments"];
const NAMES = [undefined, "a", "b", "c"];

const anyRight: fc.Arbitrary<Right> = fc
  .record({
    apiGroup: fc.constantFrom(...GROUPS),
    resource: fc.constantFrom(...RESOURCES),
    verb: fc.constantFrom(...VERBS),
    name: fc.constantFrom(...NAMES),
  })
  .map(({ name, ...right }) => ({ ...right, why: "to try it", ...(name !== undefined && { name }) }));

/** As Kubernetes reads a rule: every pairing of what it lists. */
const allows = (rules: readonly PolicyRule[], { apiGroup, resource, verb, name }: Omit<Right, "why">) =>
  rules.some(
    (rule) =>
      rule.apiGroups.includes(apiGroup) &&
      rule.resources.includes(resource) &&
      rule.verbs.includes(verb) &&
      (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name))),
  );

const EVERY_RIGHT = GROUPS.flatMap((apiGroup) =>
  RESOURCES.flatMap((resource) =>
    VERBS.flatMap((verb) =>
      NAMES.map((name) => ({ apiGroup, resource, verb, ...(name !== undefined && { name }) })),
    ),
  ),
);

describe("rules of a Role", () => {
  it("allow every right that is asked for, and no other", () => {
    fc.assert(
      fc.property(fc.array(anyRight, { maxLength: 12 }), (rights) => {
        const rules = policyRules(rights).map(({ rule }) => rule);
        const isNeeded = (asked: Omit<Right, "why">) =>
          rights.some(
            ({ apiGroup, resource, verb, name }) =>
              apiGroup === asked.apiGroup &&
              resource === asked.resource &&
              verb === asked.verb &&
              (name === undefined || name === asked.name),
          );
        for (const right of EVERY_RIGHT) expect(allows(rules, right)).toBe(isNeeded(right));
      }),
    );
  });

  it("name what each is for", () => {
    const right = { apiGroup: "", resource: "secrets", name: "db" } as const;
    const [only, ...others] = policyRules([
      { ...right, verb: "patch", why: "write" },
      { ...right, verb: "get", why: "read" },
    ]);
    expect(others).toEqual([]);
    expect(only).toEqual({
      rule: { apiGroups: [""], resources: ["secrets"], resourceNames: ["db"], verbs: ["get", "patch"] },
      why: ["write", "read"],
    });
  });
});

describe("the rights of bindings", () => {
  const rulesOf = (target: object, rules: object = {}, findsOrphans = false) => {
    const file = {
      version: 1,
      clusters: { prod: { name: "prod", region: "eu-west-1" } },
      bindings: [{ source: "prod/db", ...rules, targets: [{ namespace: "shop", name: "db", ...target }] }],
    };
    const [place] = rightsOfBindings(loadBindings(JSON.stringify(file), "bindings.yaml"), { findsOrphans });
    return policyRules(place?.rights ?? []).map(
      ({ rule: { apiGroups, resources, resourceNames, verbs } }) =>
        `${verbs} ${resources}${apiGroups[0] && `.${apiGroups}`}${resourceNames ? ` ${resourceNames}` : ""}`,
    );
  };
  const SECRET = "get,create,patch secrets db";

  it.each([
    { it: "a plain binding needs its Secret and nothing else", target: {}, want: [SECRET] },
    { it: "a Secret that others write too needs no more", rules: { ownership: "keys" }, want: [SECRET] },
    {
      it: "deletionPolicy delete needs the verb on that name",
      rules: { deletionPolicy: "delete" },
      want: ["get,create,patch,delete secrets db"],
    },
    {
      it: "an immutable Secret that is left alone needs no more",
      rules: { immutable: true, onChange: "refuse" },
      want: [SECRET],
    },
    {
      it: "an immutable Secret that is replaced is deleted before",
      rules: { immutable: true, onChange: "replace" },
      want: ["get,create,patch,delete secrets db"],
    },
    {
      it: "workloads that are named are allowed by name",
      target: {
        restart: [
          { kind: "Deployment", name: "api" },
          { kind: "Rollout", name: "web" },
        ],
      },
      want: [SECRET, "get,patch deployments.apps api", "get,patch rollouts.argoproj.io web"],
    },
    {
      it: "workloads that are to be found must be listed",
      target: { restart: "auto" },
      want: [
        SECRET,
        "get,list,patch deployments,statefulsets,daemonsets.apps",
        "get,list,patch rollouts.argoproj.io",
      ],
    },
    { it: "Pods have no names to know", target: { nudge: true }, want: [SECRET, "list,patch pods"] },
    { it: "Events are only made", target: { events: true }, want: [SECRET, "create events.events.k8s.io"] },
    { it: "orphans are found by listing", findsOrphans: true, want: [SECRET, "list secrets"] },
  ])("$it", ({ target = {}, rules, findsOrphans, want }) =>
    expect(rulesOf(target, rules, findsOrphans)).toEqual(want),
  );

  it("let External Secrets Operator be triggered in the namespaces that are named, and look at what has none", () => {
    const placesFor = (namespaces: "all" | string[]) => {
      const cluster = { name: "prod", region: "eu-west-1", externalSecrets: { namespaces } };
      const file = { version: 1, clusters: { prod: cluster }, bindings: [] };
      return rightsOfBindings(loadBindings(JSON.stringify(file), "bindings.yaml"), { findsOrphans: true });
    };
    const printed = (namespaces: "all" | string[]) =>
      placesFor(namespaces).map(({ namespace = "(all)", rights }) => [
        namespace,
        ...policyRules(rights).map(({ rule: { resources, verbs } }) => `${verbs} ${resources}`),
      ]);
    const OBJECTS = "get,list,patch externalsecrets,pushsecrets";
    expect(printed(["shop"])).toEqual([
      ["shop", OBJECTS, "get secretstores"],
      ["(all)", "get clustersecretstores", "get,patch clusterexternalsecrets"],
    ]);
    expect(printed("all")).toEqual([
      ["(all)", OBJECTS, "get secretstores,clustersecretstores", "get,patch clusterexternalsecrets"],
    ]);
  });

  it("drop a name where another binding needs all of that kind", () => {
    const file = {
      version: 1,
      clusters: { prod: { name: "prod", region: "eu-west-1" } },
      defaults: { namespace: "shop" },
      bindings: [
        { source: "a", targets: [{ name: "a", restart: [{ kind: "DaemonSet", name: "agent" }] }] },
        { source: "b", targets: [{ name: "b", restart: "auto" }] },
      ],
    };
    const [place] = rightsOfBindings(loadBindings(JSON.stringify(file), "bindings.yaml"), {
      findsOrphans: false,
    });
    const named = place?.rights.filter(({ name }) => name === "agent");
    expect(named).toEqual([]);
  });
});
