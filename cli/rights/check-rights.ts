import pMap from "p-map";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden } from "../../shared/cluster/errors.ts";
import type { Right } from "../../shared/rights/right.ts";
import type { NamespaceRights } from "../../shared/rights/rights-of-bindings.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Tell } from "../terminal/progress.ts";

/** Whose rights are asked for: those of a group, or of whoever asks. */
export type Subject = { readonly group: string } | "self";

export type CheckedRight = Right & { readonly namespace: string; readonly allowed: boolean };

export type RightsCheck =
  | { readonly kind: "checked"; readonly rights: readonly CheckedRight[] }
  /** Whoever asks may not ask about others. */
  | { readonly kind: "may-not-ask" };

/** Asks the API server's own authorizer about each right, one by one: what it answers is what it will do. */
export async function checkRights(
  cluster: Pick<ClusterConnection, "callObject">,
  places: readonly NamespaceRights[],
  { subject, budget, tell = () => {} }: { subject: Subject; budget: TimeBudget; tell?: Tell },
): Promise<RightsCheck> {
  const asked = places.flatMap(({ namespace, rights }) => rights.map((right) => ({ ...right, namespace })));
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
  { apiGroup, resource, verb, name, namespace }: Right & { namespace: string },
  budget: TimeBudget,
): Promise<boolean> {
  const resourceAttributes = {
    group: apiGroup,
    resource,
    verb,
    namespace,
    ...(name !== undefined && { name }),
  };
  const review = (kind: string, more: object, metadata?: object) => ({
    apiVersion: "authorization.k8s.io/v1",
    kind,
    ...(metadata && { metadata }),
    spec: { ...more, resourceAttributes },
  });
  const [path, body] =
    subject === "self"
      ? ["selfsubjectaccessreviews", review("SelfSubjectAccessReview", {})]
      : [
          `namespaces/${encodeURIComponent(namespace)}/localsubjectaccessreviews`,
          review(
            "LocalSubjectAccessReview",
            // Everybody who logs in is in the second group; the name stands for either function's role.
            { user: "secret-relay", groups: [subject.group, "system:authenticated"] },
            { namespace },
          ),
        ];
  const answer = (await cluster.callObject(
    { method: "POST", path: `/apis/authorization.k8s.io/v1/${path}`, body },
    budget,
  )) as { status?: { allowed?: boolean } } | undefined;
  return answer?.status?.allowed === true;
}

/** Each takes the API server well under a millisecond of work; the round trip is what it waits for. */
const QUESTIONS_AT_ONCE = 8;
