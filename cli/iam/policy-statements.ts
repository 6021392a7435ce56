import type { AwsNeeds } from "./aws-needs.ts";

export type PolicyStatement = {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
};

export type RelayFunction = "rotation" | "reconcile";

/**
 * The statements that the bindings need. template.yaml creates the same ones, with the same names, from its parameters.
 * Permissions of a function for its own log, its queues and the published bindings are not included.
 */
export function policyStatements(needs: AwsNeeds, of: RelayFunction): readonly PolicyStatement[] {
  const { location, secretArns, secretNamePrefix, kmsKeyArns, clusterArns, clusterRoleArns } = needs;
  const prefixed =
    secretNamePrefix === undefined
      ? undefined
      : `arn:${location.partition}:secretsmanager:${location.region}:${location.accountId}:secret:${secretNamePrefix}*`;
  const isSweeping = of === "reconcile";
  const describes = isSweeping || needs.findsByTag;
  const viaService = `secretsmanager.*.${location.partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}`;
  return [
    ...allow("ReadSecretsByArn", "secretsmanager:GetSecretValue", secretArns),
    ...allow("ReadSecretsByPrefix", "secretsmanager:GetSecretValue", prefixed),
    ...(describes
      ? [
          ...allow("DescribeSecretsByArn", "secretsmanager:DescribeSecret", secretArns),
          ...allow("DescribeSecretsByPrefix", "secretsmanager:DescribeSecret", prefixed),
        ]
      : []),
    ...(isSweeping
      ? [
          // AWS supports no resource for these two. The second reads only values that the first statements allow.
          ...allow("ListSecretNames", "secretsmanager:ListSecrets", "*"),
          ...allow("BatchReadSecrets", "secretsmanager:BatchGetSecretValue", "*"),
        ]
      : []),
    ...allow("DecryptSecrets", "kms:Decrypt", kmsKeyArns, { StringLike: { "kms:ViaService": viaService } }),
    ...allow("FindClusters", "eks:DescribeCluster", clusterArns),
    ...allow("AssumeClusterRoles", "sts:AssumeRole", clusterRoleArns),
  ];
}

function allow(
  Sid: string,
  Action: string | readonly string[],
  Resource: string | readonly string[] | undefined,
  Condition?: object,
): PolicyStatement[] {
  if (Resource === undefined || Resource.length === 0) return [];
  return [{ Sid, Effect: "Allow", Action, Resource, ...(Condition && { Condition }) }];
}
