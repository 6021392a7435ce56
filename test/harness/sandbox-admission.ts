import type { FaultKind, RequestSummary } from "../../sandbox/kubernetes/faults.ts";
import type { Obstacle, Raise } from "../contract/admission-contract.ts";
import type { SandboxBackend } from "./start-sandbox-backend.ts";

/** The sandbox has no admission: a fault gives the response of a real server. */
export const raiseInSandbox: Raise<SandboxBackend> = async ({ sandbox }, obstacle, { namespace }) => {
  const end = sandbox.kubernetes.faults.add({
    ...answerOf(obstacle, namespace),
    match: (request) => request.namespace === namespace && isRefused(obstacle, request),
  });
  return async () => end();
};

function isRefused(obstacle: Obstacle, { resource, verb }: RequestSummary): boolean {
  const isOfReaders = obstacle.kind === "policy" && obstacle.of === "readers";
  const isPatched = (wanted: string) => resource === wanted && verb === "patch";
  return isOfReaders ? isPatched("deployments") || resource === "events" : isPatched("secrets");
}

const FORBIDDEN = 'secrets "db" is forbidden: ';

function answerOf(obstacle: Obstacle, namespace: string): FaultKind {
  const refusal = (status: number, reason: string, message: string) =>
    ({ kind: "refusal", status, reason, message }) as const;
  switch (obstacle.kind) {
    case "policy": {
      const { name, reason } = obstacle;
      const message = `ValidatingAdmissionPolicy '${name}' with binding '${name}-binding' denied request: no`;
      return {
        ...refusal(reason === "Invalid" ? 422 : 403, reason, FORBIDDEN + message),
        causes: [{ message }],
      };
    }
    case "quota": {
      const { name, isComputed } = obstacle;
      const message = isComputed
        ? `exceeded quota: ${name}, requested: count/secrets=1, used: count/secrets=0, limited: count/secrets=0`
        : `status unknown for quota: ${name}, resources: count/secrets`;
      return refusal(403, "Forbidden", FORBIDDEN + message);
    }
    case "webhook-denies":
      return refusal(obstacle.status, "", `admission webhook "${obstacle.name}" denied the request: no`);
    case "webhook-fails": {
      const message = `Internal error occurred: failed calling webhook "${obstacle.name}": failed to call webhook: no`;
      return refusal(500, "InternalError", message);
    }
    case "terminating": {
      const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
      const cause = { reason: "NamespaceTerminating", message: "no", field: "metadata.namespace" };
      return { ...refusal(403, "Forbidden", FORBIDDEN + message), causes: [cause] };
    }
  }
}
