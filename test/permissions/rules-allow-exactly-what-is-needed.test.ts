import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { type Permission, VERBS } from "../../shared/permissions/permission.ts";
import { permissionsOfBindings } from "../../shared/permissions/permissions-of-bindings.ts";
import { type PolicyRule, policyRules } from "../../shared/permissions/policy-rules.ts";

const GROUPS = ["", "apps"];
const RESOURCES = ["secrets", "deployments"];
const NAMES = [undefined, "a", "b", "c"];

const anyPermission: fc.Arbitrary<Permission> = fc
  .record({
    apiGroup: fc.constantFrom(...GROUPS),
    resource: fc.constantFrom(...RESOURCES),
    verb: fc.constantFrom(...VERBS),
    name: fc.constantFrom(...NAMES),
  })
  .map(({ name, ...permission }) => ({
    ...permission,
    why: "to try it",
    ...(name !== undefined && { name }),
  }));

/** As Kubernetes reads a rule: every combination of its lists. */
const allows = (rules: readonly PolicyRule[], { apiGroup, resource, verb, name }: Omit<Permission, "why">) =>
  rules.some(
    (rule) =>
      rule.apiGroups.includes(apiGroup) &&
      rule.resources.includes(resource) &&
      rule.verbs.includes(verb) &&
      (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name))),
  );

const EVERY_PERMISSION = GROUPS.flatMap((apiGroup) =>
  RESOURCES.flatMap((resource) =>
    VERBS.flatMap((verb) =>
      NAMES.map((name) => ({ apiGroup, resource, verb, ...(name !== undefined && { name }) })),
    ),
  ),
);

describe("rules of a Role", () => {
  it("allow every permission that is needed, and no other", () => {
    fc.assert(
      fc.property(fc.array(anyPermission, { maxLength: 12 }), (permissions) => {
        const rules = policyRules(permissions).map(({ rule }) => rule);
        const isNeeded = (asked: Omit<Permission, "why">) =>
          permissions.some(
            ({ apiGroup, resource, verb, name }) =>
              apiGroup === asked.apiGroup &&
              resource === asked.resource &&
              verb === asked.verb &&
              (name === undefined || name === asked.name),
          );
        for (const permission of EVERY_PERMISSION)
          expect(allows(rules, permission)).toBe(isNeeded(permission));
      }),
    );
  });

  it("have the reason for each permission", () => {
    const permission = { apiGroup: "", resource: "secrets", name: "db" } as const;
    const [only, ...others] = policyRules([
      { ...permission, verb: "patch", why: "write" },
      { ...permission, verb: "get", why: "read" },
    ]);
    expect(others).toEqual([]);
    expect(only).toEqual({
      rule: { apiGroups: [""], resources: ["secrets"], resourceNames: ["db"], verbs: ["get", "patch"] },
      why: ["write", "read"],
    });
  });
});

describe("the permissions of bindings", () => {
  const rulesOf = (target: object, rules: object = {}, findsOrphans = false) => {
    const file = {
      version: 1,
      clusters: { prod: { name: "prod", region: "eu-west-1" } },
      bindings: [{ source: "prod/db", ...rules, targets: [{ namespace: "shop", name: "db", ...target }] }],
    };
    const [place] = permissionsOfBindings(loadBindings(JSON.stringify(file), "bindings.yaml"), {
      findsOrphans,
    });
    return policyRules(place?.permissions ?? []).map(
      ({ rule: { apiGroups, resources, resourceNames, verbs } }) =>
        `${verbs} ${resources}${apiGroups[0] && `.${apiGroups}`}${resourceNames ? ` ${resourceNames}` : ""}`,
    );
  };
  const SECRET = "get,create,patch secrets db";

  it.each([
    { it: "a plain binding needs its Secret and nothing else", target: {}, want: [SECRET] },
    { it: "a shared Secret needs no more", rules: { ownership: "keys" }, want: [SECRET] },
    {
      it: "deletionPolicy delete needs the verb on that name",
      rules: { deletionPolicy: "delete" },
      want: ["get,create,patch,delete secrets db"],
    },
    {
      it: "an immutable Secret that is not replaced needs no more",
      rules: { immutable: true, onChange: "refuse" },
      want: [SECRET],
    },
    {
      it: "an immutable Secret that is replaced needs delete",
      rules: { immutable: true, onChange: "replace" },
      want: ["get,create,patch,delete secrets db"],
    },
    {
      it: "named workloads are allowed by name",
      target: {
        restart: [
          { kind: "Deployment", name: "api" },
          { kind: "Rollout", name: "web" },
        ],
      },
      want: [SECRET, "get,patch deployments.apps api", "get,patch rollouts.argoproj.io web"],
    },
    {
      it: "workloads that are found automatically need list",
      target: { restart: "auto" },
      want: [
        SECRET,
        "get,list,patch deployments,statefulsets,daemonsets.apps",
        "get,list,patch rollouts.argoproj.io",
      ],
    },
    { it: "Pods have no known names", target: { nudge: true }, want: [SECRET, "list,patch pods"] },
    {
      it: "Events are only created",
      target: { events: true },
      want: [SECRET, "create events.events.k8s.io"],
    },
    { it: "orphans are found by listing", findsOrphans: true, want: [SECRET, "list secrets"] },
  ])("$it", ({ target = {}, rules, findsOrphans, want }) =>
    expect(rulesOf(target, rules, findsOrphans)).toEqual(want),
  );

  it("permit triggers of External Secrets Operator in the named namespaces, and reads of cluster-scoped objects", () => {
    const placesFor = (namespaces: "all" | string[]) => {
      const cluster = { name: "prod", region: "eu-west-1", externalSecrets: { namespaces } };
      const file = { version: 1, clusters: { prod: cluster }, bindings: [] };
      return permissionsOfBindings(loadBindings(JSON.stringify(file), "bindings.yaml"), {
        findsOrphans: true,
      });
    };
    const printed = (namespaces: "all" | string[]) =>
      placesFor(namespaces).map(({ namespace = "(all)", permissions }) => [
        namespace,
        ...policyRules(permissions).map(({ rule: { resources, verbs } }) => `${verbs} ${resources}`),
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

  it("omit a name if another binding needs all objects of that kind", () => {
    const file = {
      version: 1,
      clusters: { prod: { name: "prod", region: "eu-west-1" } },
      defaults: { namespace: "shop" },
      bindings: [
        { source: "a", targets: [{ name: "a", restart: [{ kind: "DaemonSet", name: "agent" }] }] },
        { source: "b", targets: [{ name: "b", restart: "auto" }] },
      ],
    };
    const [place] = permissionsOfBindings(loadBindings(JSON.stringify(file), "bindings.yaml"), {
      findsOrphans: false,
    });
    const named = place?.permissions.filter(({ name }) => name === "agent");
    expect(named).toEqual([]);
  });
});
