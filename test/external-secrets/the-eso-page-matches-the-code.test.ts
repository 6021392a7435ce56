import { expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { IGNORED_ADVICE } from "../../shared/external-secrets/outcome.ts";
import { triggerPermissions } from "../../shared/external-secrets/permissions.ts";
import { pageOf } from "../docs/markdown.ts";

const { text } = pageOf("docs/external-secrets.md");

it("the page shows the permissions in the code", () => {
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  const objects = blocks.flatMap((block) => parseAllDocuments(block).map((each) => each.toJS()));
  const rulesOf = (kind: string) => objects.find((each) => each.kind === kind)?.rules;

  const { roles, clusterRole } = triggerPermissions({ namespaces: ["shop"] });

  expect(rulesOf("Role")).toEqual(roles.shop);
  expect(rulesOf("ClusterRole")).toEqual(clusterRole);
});

it("with all namespaces, the permissions are one ClusterRole and no Role", () => {
  const named = triggerPermissions({ namespaces: ["shop"] });

  const { roles, clusterRole } = triggerPermissions({ namespaces: "all" });

  expect(roles).toEqual({});
  expect(clusterRole).toEqual([...(named.roles.shop ?? []), ...named.clusterRole]);
});

it("no permission covers Secrets", () => {
  const { clusterRole } = triggerPermissions({ namespaces: "all" });

  expect(clusterRole.flatMap(({ apiGroups }) => apiGroups)).toEqual(
    clusterRole.map(() => "external-secrets.io"),
  );
});

it("the page has a row for every reason to skip an object", () => {
  const table = /<!-- trigger codes -->([\s\S]*?)<!-- end -->/.exec(text)?.[1] ?? "";
  const documented = [...table.matchAll(/^\|`([A-Z_]+)`\|ignored/gm)].map((match) => match[1]);

  expect(documented.sort()).toEqual(Object.keys(IGNORED_ADVICE).sort());
});
