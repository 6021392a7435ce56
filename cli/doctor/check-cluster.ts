import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import { describeCluster } from "../../shared/cluster/aws-clients.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { ClusterForbidden, ClusterUnavailable } from "../../shared/cluster/errors.ts";
import type { NamespacePermissions } from "../../shared/permissions/permissions-of-bindings.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { AwsSession } from "../live/aws-session.ts";
import type { DeployedStack } from "../live/stack.ts";
import { checkPermissions } from "../permissions/check-permissions.ts";
import { type CheckResult, ok, skipped, wrong, wrongBy } from "./check-result.ts";

export type ClusterCheckOptions = {
  readonly clusterKey: string;
  readonly cluster: ClusterConfig;
  readonly connect: (clusterKey: string) => ClusterConnection;
  readonly loginFor: (clusterKey: string) => string;
  /** The permissions that the bindings need. */
  readonly permissions: readonly NamespacePermissions[];
  readonly hasSeveralClusters: boolean;
  /** The options by which `secret-relay rbac` prints these permissions. */
  readonly selectedBy: string;
  /** The name of the relay, which is also its Kubernetes group. */
  readonly relay: string;
  readonly budget: TimeBudget;
  readonly aws: AwsSession | undefined;
  readonly stack: DeployedStack | undefined;
};

export type RbacCheckOptions = Pick<
  ClusterCheckOptions,
  "clusterKey" | "permissions" | "hasSeveralClusters" | "selectedBy" | "relay" | "budget"
>;

/** Checks the endpoint of the cluster, access to it, and the permissions that the bindings need. */
export async function checkCluster(options: ClusterCheckOptions): Promise<CheckResult[]> {
  const { clusterKey: about } = options;
  const endpoint = await checkEndpoint(options);
  const entries = await checkAccessEntries(options);
  const { results: login, connection } = await checkLogin(options);
  if (connection === undefined) {
    const needs = "a connection to its API server";
    return [
      ...endpoint,
      ...entries,
      ...login,
      ...(["namespace", "rbac"] as const).map((check) => skipped(check, needs, { about })),
    ];
  }
  const each = await checkNamespaces(options, connection);
  const rbac = await checkRbac(options, connection);
  const allExist = each.length > 0 && each.every(({ status }) => status === "ok");
  const namespaces = allExist ? [ok("namespace", `all ${each.length} exist`, { about })] : each;
  return [...endpoint, ...entries, ...login, ...namespaces, ...rbac];
}

/** Compares the endpoint and certificate authority in EKS with the pinned ones. */
async function checkEndpoint({
  clusterKey: about,
  cluster,
  aws,
}: ClusterCheckOptions): Promise<CheckResult[]> {
  const { name, region, endpoint, certificateAuthorityData, roleArn } = cluster;
  const isPinned = endpoint !== undefined;
  if (aws === undefined || roleArn !== undefined) {
    // The role can belong to another account, and trust only the functions.
    return [skipped("cluster", roleArn ? `to assume ${roleArn}` : "AWS credentials", { about })];
  }
  const renew = `aws eks describe-cluster --name ${name} --region ${region} --query cluster.[endpoint,certificateAuthority.data]`;
  try {
    const found = await describeCluster(name, region, await aws.client.credentials());
    if (found === undefined) {
      const says = `EKS has no endpoint for ${name} yet`;
      const fix = `aws eks wait cluster-active --name ${name} --region ${region}`;
      return [wrong("cluster", { code: "CLUSTER_NOT_READY", says, fix, about })];
    }
    const isSame =
      !isPinned || (found.url === endpoint && found.certificateAuthorityData === certificateAuthorityData);
    if (isSame) return [ok("cluster", `EKS has ${name}`, { about })];
    const says = "bindings.yaml pins a different endpoint or certificate authority than EKS reports";
    return [wrong("cluster", { code: "CLUSTER_PIN_STALE", says, fix: renew, about })];
  } catch (error) {
    const why = errorNameOf(error);
    if (why.startsWith("AccessDenied")) {
      if (isPinned) return [skipped("cluster", `eks:DescribeCluster on ${name}`, { about })];
      const says = `you lack the permission eks:DescribeCluster on ${name}, which the functions also need`;
      const fix =
        "secret-relay iam --parameters, which prints ClusterArns; or pin endpoint and certificateAuthorityData";
      return [wrong("cluster", { code: "CLUSTER_LOOKUP_FORBIDDEN", says, fix, about })];
    }
    if (why === "ResourceNotFoundException") {
      const says = `EKS has no cluster ${name} in ${region}`;
      const fix = `aws eks list-clusters --region ${region}, then correct the name and region in the bindings`;
      return [wrong("cluster", { code: "CLUSTER_NOT_FOUND", says, fix, about })];
    }
    return [wrongBy("cluster", aws.classify("Describing the cluster", error), about)];
  }
}

/** The roles of both functions need an access entry with the group. */
async function checkAccessEntries({
  clusterKey: about,
  cluster: { name, region, roleArn },
  aws,
  stack,
  relay,
}: ClusterCheckOptions): Promise<CheckResult[]> {
  if (aws === undefined || stack === undefined) {
    return [skipped("access-entry", aws === undefined ? "AWS credentials" : "the stack", { about })];
  }
  const ofStack = ["RotationRoleArn", "ReconcileRoleArn"].flatMap((output) => stack.outputs[output] ?? []);
  const principals = roleArn === undefined ? ofStack : [roleArn];
  const { EKSClient, DescribeAccessEntryCommand } = await import("@aws-sdk/client-eks");
  const client = new EKSClient({ ...aws.client, region });
  const check = async (principalArn: string): Promise<CheckResult> => {
    const where = `--cluster-name ${name} --region ${region} --principal-arn ${principalArn}`;
    const group = `--kubernetes-groups ${relay}`;
    try {
      const { accessEntry } = await client.send(
        new DescribeAccessEntryCommand({ clusterName: name, principalArn }),
      );
      const groups = accessEntry?.kubernetesGroups ?? [];
      if (groups.includes(relay)) return ok("access-entry", `${principalArn} has access`, { about });
      const says = `${principalArn} has access without the group ${relay}`;
      const fix = `aws eks update-access-entry ${where} ${group}`;
      return wrong("access-entry", { code: "ACCESS_ENTRY_WITHOUT_GROUP", says, fix, about });
    } catch (error) {
      const why = errorNameOf(error);
      if (why === "ResourceNotFoundException") {
        const says = `${principalArn} has no access entry, so the cluster refuses its tokens`;
        const fix = `aws eks create-access-entry ${where} ${group}`;
        return wrong("access-entry", { code: "ACCESS_ENTRY_MISSING", says, fix, about });
      }
      if (why.startsWith("AccessDenied"))
        return skipped("access-entry", "eks:DescribeAccessEntry", { about });
      return wrongBy("access-entry", aws.classify("Describing the access entry", error), about);
    }
  };
  try {
    return await Promise.all(principals.map(check));
  } finally {
    client.destroy();
  }
}

async function checkLogin({ clusterKey: about, connect, loginFor, budget }: ClusterCheckOptions): Promise<{
  results: CheckResult[];
  connection?: ClusterConnection;
}> {
  try {
    const connection = connect(about);
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    await connection.callObject({ method: "POST", path, body }, budget);
    return { connection, results: [ok("cluster", `reachable with ${loginFor(about)}`, { about })] };
  } catch (error) {
    if (error instanceof ClusterUnavailable && error.isConnectionFault) {
      const says = "this machine cannot reach its API server";
      const fix =
        "curl -sk ENDPOINT/livez: a private endpoint needs network access to its VPC, from here and from the functions (VpcSubnetIds)";
      return { results: [wrong("cluster", { code: error.code, says, fix, about })] };
    }
    return { results: [wrongBy("cluster", error, about)] };
  }
}

async function checkNamespaces(
  { clusterKey, permissions, budget }: ClusterCheckOptions,
  connection: ClusterConnection,
): Promise<CheckResult[]> {
  const names = permissions.flatMap(({ namespace }) => namespace ?? []);
  return Promise.all(
    names.map(async (namespace): Promise<CheckResult> => {
      const about = `${clusterKey}/${namespace}`;
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
      try {
        const found = await connection.callObject({ method: "GET", path }, budget);
        if (found !== undefined) return ok("namespace", "exists", { about });
        const fix = `kubectl create namespace ${namespace}`;
        return wrong("namespace", { code: "NAMESPACE_MISSING", says: "it does not exist", fix, about });
      } catch (error) {
        if (error instanceof ClusterForbidden) return skipped("namespace", "get on namespaces", { about });
        return wrongBy("namespace", error, about);
      }
    }),
  );
}

export async function checkRbac(
  { clusterKey: about, permissions, hasSeveralClusters, selectedBy, relay, budget }: RbacCheckOptions,
  connection: Pick<ClusterConnection, "callObject">,
): Promise<CheckResult[]> {
  if (permissions.length === 0) return [];
  try {
    const checked = await checkPermissions(connection, permissions, { subject: { group: relay }, budget });
    if (checked.kind === "forbidden") {
      return [skipped("rbac", "create on localsubjectaccessreviews", { about })];
    }
    const missing = checked.permissions.filter(({ allowed }) => !allowed);
    const count = checked.permissions.length;
    if (missing.length === 0) return [ok("rbac", `all ${count} permissions are granted`, { about })];
    const named = missing.slice(0, PERMISSIONS_SHOWN_MAX).map(({ verb, resource, name, namespace }) => {
      return `${verb} ${resource}${name === undefined ? "" : `/${name}`}${namespace === undefined ? "" : ` in ${namespace}`}`;
    });
    const more = missing.length > PERMISSIONS_SHOWN_MAX ? " …" : "";
    const says = `group ${relay} lacks ${missing.length} of ${count} permissions: ${named.join(", ")}${more}`;
    const fix = `secret-relay rbac${selectedBy}${hasSeveralClusters ? ` --cluster ${about}` : ""} | kubectl apply -f -`;
    return [wrong("rbac", { code: "RBAC_MISSING", says, fix, about })];
  } catch (error) {
    return [wrongBy("rbac", error, about)];
  }
}

const PERMISSIONS_SHOWN_MAX = 3;
