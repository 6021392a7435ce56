import pMap from "p-map";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden } from "../../shared/cluster/errors.ts";
import type { Permission } from "../../shared/permissions/permission.ts";
import type { NamespacePermissions } from "../../shared/permissions/permissions-of-bindings.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { ReportProgress } from "../terminal/progress.ts";

/** A group, or the caller of the command. */
export type Subject = { readonly group: string } | "self";

export type CheckedPermission = Permission & {
  /** Absent if cluster-wide. */
  readonly namespace?: string;
  readonly allowed: boolean;
};

export type PermissionsCheck =
  | { readonly kind: "checked"; readonly permissions: readonly CheckedPermission[] }
  /** The caller cannot check the permissions of others. */
  | { readonly kind: "forbidden" };

/** Checks each permission with the authorizer of the API server, which also decides about real requests. */
export async function checkPermissions(
  cluster: Pick<ClusterConnection, "callObject">,
  namespaces: readonly NamespacePermissions[],
  {
    subject,
    budget,
    reportProgress = () => {},
  }: { subject: Subject; budget: TimeBudget; reportProgress?: ReportProgress },
): Promise<PermissionsCheck> {
  const wanted = namespaces.flatMap(({ namespace, permissions }) =>
    permissions.map((permission) => ({ ...permission, ...(namespace !== undefined && { namespace }) })),
  );
  let done = 0;
  try {
    const permissions = await pMap(
      wanted,
      async (permission): Promise<CheckedPermission> => {
        const allowed = await isAllowed(cluster, subject, permission, budget);
        done += 1;
        reportProgress(`${done} of ${wanted.length} permissions`);
        return { ...permission, allowed };
      },
      { concurrency: REVIEWS_AT_ONCE },
    );
    return { kind: "checked", permissions };
  } catch (error) {
    if (subject !== "self" && error instanceof ClusterForbidden) return { kind: "forbidden" };
    throw error;
  }
}

async function isAllowed(
  cluster: Pick<ClusterConnection, "callObject">,
  subject: Subject,
  { apiGroup, resource, verb, name, namespace }: Omit<CheckedPermission, "allowed">,
  budget: TimeBudget,
): Promise<boolean> {
  const resourceAttributes = {
    group: apiGroup,
    resource,
    verb,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
  // Every authenticated user is in the second group. The user name stands for the roles of both functions.
  const other =
    subject === "self" ? {} : { user: "secret-relay", groups: [subject.group, "system:authenticated"] };
  const [kind, path] = reviewOf(subject, namespace);
  const body = {
    apiVersion: "authorization.k8s.io/v1",
    kind,
    ...(kind === "LocalSubjectAccessReview" && { metadata: { namespace } }),
    spec: { ...other, resourceAttributes },
  };
  const answer = (await cluster.callObject(
    { method: "POST", path: `/apis/authorization.k8s.io/v1/${path}`, body },
    budget,
  )) as { status?: { allowed?: boolean } } | undefined;
  return answer?.status?.allowed === true;
}

/** The administrator of a namespace can check its permissions; cluster-wide checks need an administrator of the cluster. */
function reviewOf(subject: Subject, namespace: string | undefined): readonly [kind: string, path: string] {
  if (subject === "self") return ["SelfSubjectAccessReview", "selfsubjectaccessreviews"];
  if (namespace === undefined) return ["SubjectAccessReview", "subjectaccessreviews"];
  return [
    "LocalSubjectAccessReview",
    `namespaces/${encodeURIComponent(namespace)}/localsubjectaccessreviews`,
  ];
}

/** A review takes the API server well under a millisecond; most of the time is the round trip. */
const REVIEWS_AT_ONCE = 8;
