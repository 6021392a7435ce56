import { customResource } from "../../sandbox/kubernetes/resources.ts";

/** The custom resource of Argo Rollouts, as far as a restart needs it. */
export const rollouts = customResource({
  group: "argoproj.io",
  version: "v1alpha1",
  resource: "rollouts",
  singular: "rollout",
  kind: "Rollout",
  hasStatus: true,
});
