import type { Binding, RestartRule } from "../bindings/binding.ts";
import { resourceOfKind, WORKLOAD_KINDS } from "../workloads/workload.ts";
import type { Right, Verb } from "./right.ts";

/** What it takes to restart, nudge and tell those who read the target, where the binding asks for that. */
export function readerRights({ restart, nudge, events }: Binding): readonly Right[] {
  return [
    ...(restart ? restartRights(restart) : []),
    ...(nudge === true ? NUDGE : []),
    ...(events === true ? EVENTS : []),
  ];
}

function restartRights({ workloads }: RestartRule): readonly Right[] {
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

const NUDGE: readonly Right[] = (["list", "patch"] as const).map((verb) => ({
  apiGroup: "",
  resource: "pods",
  verb,
  why: "nudge the Pods that mount a Secret",
}));

const EVENTS: readonly Right[] = [
  { apiGroup: "events.k8s.io", resource: "events", verb: "create", why: "post Kubernetes Events" },
];
