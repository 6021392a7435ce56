import type { Binding, RestartRule } from "../bindings/binding.ts";
import { resourceOfKind, WORKLOAD_KINDS } from "../workloads/workload.ts";
import type { Permission, Verb } from "./permission.ts";

/** The permissions for the follow-up actions of a binding: restarts, nudges, checks of Pods and Kubernetes Events. */
export function readerPermissions({ restart, nudge, checkPods, events }: Binding): readonly Permission[] {
  return [
    ...(restart ? restartPermissions(restart) : []),
    ...(nudge === true ? NUDGE : []),
    ...(checkPods === true ? CHECK_PODS : []),
    ...(events === true ? EVENTS : []),
  ];
}

function restartPermissions({ workloads }: RestartRule): readonly Permission[] {
  if (workloads !== "auto") {
    return workloads.flatMap(({ kind, name }) =>
      RESTART_VERBS.map((verb) => ({ ...resourceOfKind(kind), verb, name, why: "restart workloads" })),
    );
  }
  return WORKLOAD_KINDS.flatMap((kind) =>
    (["list", ...RESTART_VERBS] as const).map((verb) => ({
      ...resourceOfKind(kind),
      verb,
      why: "find and restart the workloads that use a Secret",
    })),
  );
}

const RESTART_VERBS: readonly Verb[] = ["get", "patch"];

const NUDGE: readonly Permission[] = (["list", "patch"] as const).map((verb) => ({
  apiGroup: "",
  resource: "pods",
  verb,
  why: "nudge the Pods that mount a Secret",
}));

const CHECK_PODS: readonly Permission[] = [
  { apiGroup: "", resource: "pods", verb: "list", why: "find Pods that run with an older value" },
];

const EVENTS: readonly Permission[] = [
  { apiGroup: "events.k8s.io", resource: "events", verb: "create", why: "post Kubernetes Events" },
];
