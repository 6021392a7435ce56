import { describe, expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { runCli } from "../harness/run-cli.ts";
import { problemsOf } from "./bindings-text.ts";

const withEntry = (externalSecrets: string): string =>
  `version: 1\nclusters:\n  prod: { name: prod-eks, region: eu-west-1, externalSecrets: ${externalSecrets} }\nbindings: []\n`;

it.each([
  {
    entry: "{ namespaces: [shop, payments] }",
    want: { namespaces: ["shop", "payments"], deadlineSeconds: 20 },
  },
  { entry: "{ namespaces: all }", want: { namespaces: "all", deadlineSeconds: 20 } },
  { entry: "{ namespaces: all, deadlineSeconds: 45 }", want: { namespaces: "all", deadlineSeconds: 45 } },
])("$entry needs no binding", ({ entry, want }) => {
  expect(loadBindings(withEntry(entry), "bindings.yaml").clusters.prod?.externalSecrets).toEqual(want);
});

it("a cluster without externalSecrets has no trigger mode", () => {
  const { clusters } = loadBindings(
    "version: 1\nclusters: { prod: { name: prod-eks, region: eu-west-1 } }\nbindings: []\n",
    "bindings.yaml",
  );

  expect(clusters.prod).toEqual({ name: "prod-eks", region: "eu-west-1" });
});

describe("a mistake is reported:", () => {
  const at = "clusters.prod.externalSecrets";

  it.each([
    { entry: "{}", path: at, says: "namespaces is missing" },
    {
      entry: "{ namespaces: shop }",
      path: `${at}.namespaces`,
      says: "the only value that is possible here is all",
    },
    { entry: "{ namespaces: [] }", path: `${at}.namespaces`, says: "This is empty" },
    { entry: "{ namespaces: [Shop] }", path: `${at}.namespaces[0]`, says: "A namespace is lower-case" },
    {
      entry: "{ namespaces: [shop, a, shop] }",
      path: `${at}.namespaces[2]`,
      says: 'The list has the namespace "shop" twice',
    },
    {
      entry: "{ namespaces: all, deadlineSeconds: 0 }",
      path: `${at}.deadlineSeconds`,
      says: "The minimum here is 1",
    },
    {
      entry: "{ namespaces: all, deadline: 5 }",
      path: `${at}.deadline`,
      says: 'There is no setting "deadline"',
    },
  ])("$entry: $says", ({ entry, path, says }) => {
    expect(problemsOf(withEntry(entry))).toContainEqual(
      expect.objectContaining({ path, message: expect.stringContaining(says) }),
    );
  });
});

it("validate reports that a file configures trigger mode", async () => {
  const stdin = withEntry("{ namespaces: all }");

  const { exitCode, stdout } = await runCli(["validate", "-"], { stdin });

  expect(exitCode).toBe(0);
  expect(stdout).toContain("0 Kubernetes Secret(s), and trigger mode in 1 cluster(s)");
});
