import type { Binding } from "../bindings/binding.ts";
import type { Permission, Verb } from "./permission.ts";

/** The permissions for the target itself. Server-side apply names the Secret in the URL, so `create` works by name. */
export function secretPermissions({ target, deletionPolicy, immutable }: Binding): readonly Permission[] {
  const to = (verb: Verb, why: string): Permission => ({ ...SECRETS, verb, name: target.name, why });
  return [
    to("get", "read the live Secret before each write"),
    to("create", "create a missing Secret"),
    to("patch", "apply the current value"),
    ...(immutable === "replace" ? [to("delete", "replace an immutable Secret")] : []),
    ...(deletionPolicy === "delete" ? [to("delete", "delete a Secret that is no longer bound")] : []),
  ];
}

/** Orphans have no name in the bindings. Permission to list Secrets includes their values, so this is not the default. */
export const orphanPermissions: readonly Permission[] = [
  { apiGroup: "", resource: "secrets", verb: "list", why: "find Secrets that are no longer bound" },
];

const SECRETS = { apiGroup: "", resource: "secrets" } as const;
