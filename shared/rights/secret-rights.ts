import type { Binding } from "../bindings/binding.ts";
import type { Right, Verb } from "./right.ts";

/** What it takes to keep the target itself. Server-side apply names the Secret in the URL, so `create` holds by name. */
export function secretRights({ target, deletionPolicy, immutable }: Binding): readonly Right[] {
  const right = (verb: Verb, why: string): Right => ({ ...SECRETS, verb, name: target.name, why });
  return [
    right("get", "read the live Secret before each write"),
    right("create", "make a Secret that is not there"),
    right("patch", "apply the current value"),
    ...(immutable === "replace" ? [right("delete", "replace an immutable Secret")] : []),
    ...(deletionPolicy === "delete" ? [right("delete", "delete what is bound no longer")] : []),
  ];
}

/** Orphans have no name in the bindings. Whoever may list Secrets may read their values, so this is not the default. */
export const orphanRights: readonly Right[] = [
  { apiGroup: "", resource: "secrets", verb: "list", why: "find Secrets that are bound no longer" },
];

const SECRETS = { apiGroup: "", resource: "secrets" } as const;
