import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { parseAllDocuments } from "yaml";
import type { PolicyRule } from "../../shared/permissions/policy-rules.ts";
import type { Backend } from "./backend.ts";
import { runCli } from "./run-cli.ts";
import type { Scene } from "./scene.ts";

type Metadata = { readonly name: string; readonly namespace?: string };
type Role = {
  readonly kind: "Role" | "ClusterRole";
  readonly metadata: Metadata;
  readonly rules: readonly PolicyRule[];
};
type RoleBinding = { readonly kind: "RoleBinding" | "ClusterRoleBinding"; readonly metadata: Metadata };
export type Manifest = Role | RoleBinding;

/** The remaining rules of one role. */
export type Narrow = (rules: readonly PolicyRule[], of: Role["kind"]) => readonly PolicyRule[];

/** What `secret-relay rbac` prints for a bindings file and the relay's group. */
export async function printedManifests(
  { kubernetes }: Backend,
  file: { readonly clusters: object; readonly bindings: readonly object[] },
  ...words: readonly string[]
): Promise<Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), "rbac-"));
  try {
    const defaults = { cluster: Object.keys(file.clusters)[0] };
    writeFileSync(join(folder, "bindings.yaml"), JSON.stringify({ version: 1, defaults, ...file }));
    const { exitCode, stdout, stderr } = await runCli(["rbac", "--group", kubernetes.relayGroup, ...words], {
      cwd: folder,
    });
    // This user cannot list Secrets, so pending deletions are unknown.
    const said = words.includes("--find-orphans")
      ? expect.stringMatching(/^(Orphans that wait for deletion are unknown [^\n]+\n)?$/)
      : "";
    expect([exitCode, stderr]).toEqual([0, said]);
    return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * As `kubectl apply -f -`, then waits until the authorizer knows the roles. The returned function removes them and
 * waits until the authorizer has dropped them: otherwise the old rules would apply to the next ClusterRole of the same
 * name.
 */
export async function applyManifests(
  { kubernetes }: Backend,
  { admin }: Scene,
  manifests: readonly Manifest[],
  narrow: Narrow,
): Promise<() => Promise<void>> {
  const applied = manifests.map((printed) =>
    "rules" in printed ? { ...printed, rules: narrow(printed.rules, printed.kind) } : printed,
  );
  for (const manifest of applied) {
    const { status, body } = await admin(`${pathOf(manifest)}?fieldManager=kubectl&fieldValidation=Strict`, {
      method: "PATCH",
      contentType: "application/apply-patch+yaml",
      body: manifest,
    });
    expect([status, body.message]).toEqual([201, undefined]);
  }
  // One permission of each role suffices: they arrived in one object.
  const untilKnown = async (isAllowed: boolean) => {
    for (const { metadata, rules } of applied.flatMap((each) => ("rules" in each ? [each] : []))) {
      const [right] = rules.flatMap(rightsOf);
      if (right !== undefined) await untilReviewed(isAllowed, right, metadata.namespace);
    }
  };
  await untilKnown(true);
  return async () => {
    for (const manifest of applied) await admin(pathOf(manifest), { method: "DELETE" });
    await untilKnown(false);
  };

  async function untilReviewed(
    isAllowed: boolean,
    { group, resource, verb, name }: SingleRight,
    namespace?: string,
  ) {
    const resourceAttributes = {
      group,
      resource,
      verb,
      ...(name && { name }),
      ...(namespace && { namespace }),
    };
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user: "relay", groups: [kubernetes.relayGroup], resourceAttributes },
    };
    for (let tries = 0; tries < 100; tries += 1) {
      const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
      const { status, body } = await admin(path, { method: "POST", body: review });
      if (status === 201 && body.status.allowed === isAllowed) return;
      await sleep(50);
    }
    throw new Error(
      `The authorizer did not follow within 5 s: ${verb} ${resource} should be ${isAllowed ? "allowed" : "denied"}`,
    );
  }
}

/** Every single permission of the printed roles, with a function that removes only that one. */
export function singleRights(manifests: readonly Manifest[]): { what: string; narrow: Narrow }[] {
  return manifests
    .flatMap((manifest) => ("rules" in manifest ? [manifest] : []))
    .flatMap(({ kind, rules }) =>
      rules.flatMap(rightsOf).map(({ what }) => ({
        what: `${kind}: ${what}`,
        narrow: (all, of) =>
          of === kind
            ? all.flatMap(rightsOf).flatMap((right) => (right.what === what ? [] : [right.rule]))
            : all,
      })),
    );
}

type SingleRight = {
  readonly what: string;
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly name?: string;
  readonly rule: PolicyRule;
};

/** Kubernetes' meaning of a rule: every combination of its entries. */
function rightsOf({ apiGroups, resources, resourceNames, verbs }: PolicyRule): SingleRight[] {
  const names = resourceNames ?? [undefined];
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) =>
        names.map((name) => ({
          what: [verb, resource, ...(name === undefined ? [] : [name])].join(" "),
          ...{ group, resource, verb, ...(name !== undefined && { name }) },
          rule: {
            ...{ apiGroups: [group], resources: [resource], verbs: [verb] },
            ...(name !== undefined && { resourceNames: [name] }),
          },
        })),
      ),
    ),
  );
}

function pathOf({ kind, metadata: { name, namespace } }: Manifest): string {
  const place = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return `/apis/rbac.authorization.k8s.io/v1${place}/${kind.toLowerCase()}s/${name}`;
}
