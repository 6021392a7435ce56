import pMap from "p-map";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden } from "../../shared/cluster/errors.ts";
import type { Right } from "../../shared/rights/right.ts";
import type { PlaceRights } from "../../shared/rights/rights-of-bindings.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Tell } from "../terminal/progress.ts";

/** Whose rights are asked for: those of a group, or of whoever asks. */
export type Subject = { readonly group: string } | "self";

export type CheckedRight = Right & {
  /** Absent: in every namespace. */
  readonly namespace?: string;
  readonly allowed: boolean;
};

export type RightsCheck =
  | { readonly kind: "checked"; readonly rights: readonly CheckedRight[] }
  /** Whoever asks may not ask about others. */
  | { readonly kind: "may-not-ask" };

/** Asks the API server's own authorizer about each right, one by one: what it answers is what it will do. */
export async function checkRights(
  cluster: Pick<ClusterConnection, "callObject">,
  places: readonly PlaceRights[],
  { subject, budget, tell = () => {} }: { subject: Subject; budget: TimeBudget; tell?: Tell },
): Promise<RightsCheck> {
  const asked = places.flatMap(({ namespace, rights }) =>
    rights.map((right) => ({ ...right, ...(namespace !== undefined && { namespace }) })),
  );
  let answered = 0;
  try {
    const rights = await pMap(
      asked,
      async (right): Promise<CheckedRight> => {
        const allowed = await ask(cluster, subject, right, budget);
        answered += 1;
        tell(`${answered} of ${asked.length} rights`);
        return { ...right, allowed };
      },
      { concurrency: QUESTIONS_AT_ONCE },
    );
    return { kind: "checked", rights };
  } catch (error) {
    if (subject !== "self" && error instanceof ClusterForbidden) return { kind: "may-not-ask" };
    throw error;
  }
}

async function ask(
  cluster: Pick<ClusterConnection, "callObject">,
  subject: Subject,
  { apiGroup, resource, verb, name, namespace }: Omit<CheckedRight, "allowed">,
  budget: TimeBudget,
): Promise<boolean> {
  const resourceAttributes = {
    group: apiGroup,
    resource,
    verb,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
  // Everybody who logs in is in the second group; the name stands for either function's role.
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

/** In a namespace whoever administers it may ask; about all of them, who administers the cluster. */
function reviewOf(subject: Subject, namespace: string | undefined): readonly [kind: string, path: string] {
  if (subject === "self") return ["SelfSubjectAccessReview", "selfsubjectaccessreviews"];
  if (namespace === undefined) return ["SubjectAccessReview", "subjectaccessreviews"];
  return [
    "LocalSubjectAccessReview",
    `namespaces/${encodeURIComponent(namespace)}/localsubjectaccessreviews`,
  ];
}

/** Each takes the API server well under a millisecond of work; the round trip is what it waits for. */
const QUESTIONS_AT_ONCE = 8;
