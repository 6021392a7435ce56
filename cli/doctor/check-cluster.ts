import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import { describeCluster } from "../../shared/cluster/aws-clients.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { ClusterForbidden, ClusterUnavailable } from "../../shared/cluster/errors.ts";
import type { PlaceRights } from "../../shared/rights/rights-of-bindings.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { AwsSession } from "../live/aws-session.ts";
import type { DeployedStack } from "../live/stack.ts";
import { checkRights } from "../rights/check-rights.ts";
import { type CheckResult, ok, skipped, wrong, wrongBy } from "./check-result.ts";

export type ClusterQuestion = {
  readonly clusterKey: string;
  readonly cluster: ClusterConfig;
  readonly connect: (clusterKey: string) => ClusterConnection;
  readonly wayTo: (clusterKey: string) => string;
  /** What the bindings need there. */
  readonly places: readonly PlaceRights[];
  readonly severalClusters: boolean;
  /** The name of the relay: its Kubernetes group. */
  readonly relay: string;
  readonly budget: TimeBudget;
  readonly aws?: AwsSession;
  readonly stack?: DeployedStack;
};

export type ClusterCheck = { readonly results: readonly CheckResult[]; readonly isReached: boolean };

/** Can the cluster be found and reached, and does it let the relay do what the bindings need? */
export async function checkCluster(question: ClusterQuestion): Promise<ClusterCheck> {
  const { clusterKey: about } = question;
  const found = await checkEndpoint(question);
  const entries = await checkAccessEntries(question);
  const { results: reached, connection } = await checkReach(question);
  if (connection === undefined) return { results: [...found, ...entries, ...reached], isReached: false };
  const namespaces = await checkNamespaces(question, connection);
  const missing = namespaces.filter(({ status }) => status === "wrong").length;
  const rights = await checkRbac(question, connection);
  const inOrder = missing === 0 && namespaces.length > 0 && namespaces.every(({ status }) => status === "ok");
  const told = inOrder ? [ok("namespace", `all ${namespaces.length} are there`, { about })] : namespaces;
  return { results: [...found, ...entries, ...reached, ...told, ...rights], isReached: true };
}

/** What EKS says of it; what bindings.yaml pins must be the same. */
async function checkEndpoint({ clusterKey: about, cluster, aws }: ClusterQuestion): Promise<CheckResult[]> {
  const { name, region, endpoint, certificateAuthorityData, roleArn } = cluster;
  const isPinned = endpoint !== undefined;
  if (aws === undefined || roleArn !== undefined) {
    // A role of its own answers for another account, and may trust nobody but the functions.
    return isPinned
      ? []
      : [skipped("cluster", roleArn ? `to assume ${roleArn}` : "AWS credentials", { about })];
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
    if (isSame) return [ok("cluster", `EKS knows ${name}`, { about })];
    const says = "bindings.yaml pins another endpoint or certificate authority than EKS tells";
    return [wrong("cluster", { code: "CLUSTER_PIN_STALE", says, fix: renew, about })];
  } catch (error) {
    const why = errorNameOf(error);
    if (why.startsWith("AccessDenied")) {
      if (isPinned) return [skipped("cluster", `eks:DescribeCluster on ${name}`, { about })];
      const says = `you may not call eks:DescribeCluster on ${name}; the functions need the same`;
      const fix =
        "secret-relay iam --parameters, which says ClusterArns; or pin endpoint and certificateAuthorityData";
      return [wrong("cluster", { code: "CLUSTER_LOOKUP_FORBIDDEN", says, fix, about })];
    }
    if (why === "ResourceNotFoundException") {
      const says = `EKS has no cluster ${name} in ${region}`;
      const fix = `aws eks list-clusters --region ${region}, then correct name and region in the bindings`;
      return [wrong("cluster", { code: "CLUSTER_NOT_FOUND", says, fix, about })];
    }
    return [wrongBy("cluster", aws.classify("Looking the cluster up", error), about)];
  }
}

/** Both functions must be mapped to the group. */
async function checkAccessEntries({
  clusterKey: about,
  cluster: { name, region, roleArn },
  aws,
  stack,
  relay,
}: ClusterQuestion): Promise<CheckResult[]> {
  if (aws === undefined || stack === undefined) return [];
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
      if (groups.includes(relay)) return ok("access-entry", `${principalArn} is let in`, { about });
      const says = `${principalArn} is let in without the group ${relay}`;
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
      return wrongBy("access-entry", aws.classify("Looking at the access entry", error), about);
    }
  };
  try {
    return await Promise.all(principals.map(check));
  } finally {
    client.destroy();
  }
}

async function checkReach({ clusterKey: about, connect, wayTo, budget }: ClusterQuestion): Promise<{
  results: CheckResult[];
  connection?: ClusterConnection;
}> {
  try {
    const connection = connect(about);
    const question = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    await connection.callObject({ method: "POST", path, body: question }, budget);
    return { connection, results: [ok("cluster", `answers, by ${wayTo(about)}`, { about })] };
  } catch (error) {
    if (error instanceof ClusterUnavailable && error.isConnectionFault) {
      const says = "its API server cannot be reached from here";
      const fix =
        "curl -sk ENDPOINT/livez: a private endpoint needs a way into its VPC, here and for the functions (VpcSubnetIds)";
      return { results: [wrong("cluster", { code: error.code, says, fix, about })] };
    }
    return { results: [wrongBy("cluster", error, about)] };
  }
}

async function checkNamespaces(
  { clusterKey, places, budget }: ClusterQuestion,
  connection: ClusterConnection,
): Promise<CheckResult[]> {
  const names = places.flatMap(({ namespace }) => namespace ?? []);
  return Promise.all(
    names.map(async (namespace): Promise<CheckResult> => {
      const about = `${clusterKey}/${namespace}`;
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
      try {
        const found = await connection.callObject({ method: "GET", path }, budget);
        if (found !== undefined) return ok("namespace", "is there", { about });
        const says = "there is no such namespace";
        return wrong("namespace", {
          code: "NAMESPACE_MISSING",
          says,
          fix: `kubectl create namespace ${namespace}`,
          about,
        });
      } catch (error) {
        if (error instanceof ClusterForbidden) return skipped("namespace", "get on namespaces", { about });
        return wrongBy("namespace", error, about);
      }
    }),
  );
}

async function checkRbac(
  { clusterKey: about, places, severalClusters, relay, budget }: ClusterQuestion,
  connection: ClusterConnection,
): Promise<CheckResult[]> {
  if (places.length === 0) return [];
  try {
    const checked = await checkRights(connection, places, { subject: { group: relay }, budget });
    if (checked.kind === "may-not-ask") {
      return [skipped("rbac", "create on localsubjectaccessreviews", { about })];
    }
    const missing = checked.rights.filter(({ allowed }) => !allowed);
    const count = checked.rights.length;
    if (missing.length === 0) return [ok("rbac", `all ${count} rights are there`, { about })];
    const named = missing.slice(0, RIGHTS_NAMED).map(({ verb, resource, name, namespace }) => {
      return `${verb} ${resource}${name === undefined ? "" : `/${name}`}${namespace === undefined ? "" : ` in ${namespace}`}`;
    });
    const more = missing.length > RIGHTS_NAMED ? " …" : "";
    const says = `group ${relay} lacks ${missing.length} of ${count} rights: ${named.join(", ")}${more}`;
    const fix = `secret-relay rbac${severalClusters ? ` --cluster ${about}` : ""} | kubectl apply -f -`;
    return [wrong("rbac", { code: "RBAC_MISSING", says, fix, about })];
  } catch (error) {
    return [wrongBy("rbac", error, about)];
  }
}

const RIGHTS_NAMED = 3;
