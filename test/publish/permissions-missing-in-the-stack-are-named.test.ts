import { describe, expect, it } from "vitest";
import { missingInStack } from "../../cli/publish/missing-in-stack.ts";

const SECRETS = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:";
const CLUSTERS = "arn:aws:eks:eu-west-1:111122223333:cluster/";
const needs = (of: { secretArns?: string[]; clusterArns?: string[]; clusterRoleArns?: string[] }) => ({
  location: { partition: "aws", region: "eu-west-1", accountId: "111122223333" },
  secretArns: [],
  clusterArns: [],
  clusterRoleArns: [],
  kmsKeyArns: [],
  findsByTag: false,
  ...of,
});

describe("a source", () => {
  const needed = `${SECRETS}prod/db-??????`;
  it.each<{ it: string; parameters: Record<string, string>; isMissing: boolean; of?: string }>([
    { it: "that nothing names", parameters: {}, isMissing: true },
    { it: "under the prefix", parameters: { SecretNamePrefix: "prod/" }, isMissing: false },
    { it: "under another prefix", parameters: { SecretNamePrefix: "prod/d/" }, isMissing: true },
    { it: "that is listed by its name", parameters: { SecretArns: needed }, isMissing: false },
    {
      it: "that is listed with its random characters",
      parameters: { SecretArns: `${SECRETS}prod/db-AbCdEf` },
      isMissing: false,
    },
    {
      it: "whose name only begins like a listed one",
      parameters: { SecretArns: `${SECRETS}prod/db-copy-AbCdEf` },
      isMissing: true,
    },
    {
      it: "in a list with spaces",
      parameters: { SecretArns: `${SECRETS}a-??????, ${needed}` },
      isMissing: false,
    },
    { it: "that a pattern matches", parameters: { SecretArns: `${SECRETS}*/db-??????` }, isMissing: false },
    { it: "that a pattern does not match", parameters: { SecretArns: `${SECRETS}?/db-*` }, isMissing: true },
    {
      it: "of another account, under the same prefix",
      of: "arn:aws:secretsmanager:eu-west-1:444455556666:secret:prod/db-AbCdEf",
      parameters: { SecretNamePrefix: "prod/" },
      isMissing: true,
    },
  ])("$it: missing $isMissing", ({ parameters, isMissing, of = needed }) => {
    expect(missingInStack(needs({ secretArns: [of] }), parameters)).toEqual(
      isMissing ? [{ parameter: "SecretArns", arns: [of] }] : [],
    );
  });
});

it("a cluster and a role are named with their parameters", () => {
  const [cluster, role] = [`${CLUSTERS}prod`, "arn:aws:iam::444455556666:role/relay"];
  const all = needs({ clusterArns: [cluster], clusterRoleArns: [role] });

  expect(missingInStack(all, {})).toEqual([
    { parameter: "ClusterArns", arns: [cluster] },
    { parameter: "ClusterRoleArns", arns: [role] },
  ]);
  expect(missingInStack(all, { ClusterArns: `${CLUSTERS}*`, ClusterRoleArns: role })).toEqual([]);
});
