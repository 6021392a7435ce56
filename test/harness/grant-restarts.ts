import { setTimeout as sleep } from "node:timers/promises";
import type { Backend } from "./backend.ts";
import { must } from "./fleet.ts";
import type { Scene } from "./scene.ts";

/** Lets the relay's group restart and follow every workload of the scene's namespace. */
export async function grantRestarts(
  { admin, namespace }: Scene,
  backend: Backend,
  rules: typeof RESTART_RULES = RESTART_RULES,
): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  const path = `/apis/${apiGroup}/v1/namespaces/${namespace}`;
  const role = { apiVersion: `${apiGroup}/v1`, kind: "Role", metadata: { name: "restarts" } };
  await must(admin, `${path}/roles`, { method: "POST", body: { ...role, rules } });
  const roleRef = { apiGroup, kind: "Role", name: "restarts" };
  const subjects = [{ apiGroup, kind: "Group", name: backend.kubernetes.relayGroup }];
  const body = { ...role, kind: "RoleBinding", roleRef, subjects };
  await must(admin, `${path}/rolebindings`, { method: "POST", body });
  if (backend.name === "real") await sleep(300); // until its authorizer has heard of the role
}

const verbs = ["get", "patch"];
export const RESTART_RULES = [
  { apiGroups: ["apps"], resources: ["deployments", "statefulsets", "daemonsets"], verbs },
  { apiGroups: ["argoproj.io"], resources: ["rollouts"], verbs },
];
