import { type FieldReader, LEAVE_IT } from "./fields.ts";
import type { NoteCode } from "./notes.ts";
import type { Conversion, ExternalSecretRequest, Rules } from "./parts.ts";

/** The rules of the Secret apart from its data. */
export function readTarget({ request, note }: Conversion, target: FieldReader, sources: number): Rules {
  const creation = target.string("creationPolicy") ?? "Owner";
  const deletion = target.string("deletionPolicy") ?? "Retain";
  const isImmutable = target.flag("immutable");
  const template = target.has("template") ? target.map("template") : undefined;
  if (target.has("manifest"))
    target.refuse("NOT_A_SECRET", `the target is not a Secret. ${LEAVE_IT}`, "manifest");
  const isShared = creation === "Merge" || creation === "CreateOrMerge";
  if (creation === "None") {
    const reason = `with None the operator writes no Secret. ${LEAVE_IT}`;
    target.refuse("CREATION_POLICY", reason, "creationPolicy");
  } else if (!["Owner", "Orphan", "Merge", "CreateOrMerge"].includes(creation)) {
    const reason = "it must be Owner, Orphan, Merge, CreateOrMerge or None";
    target.refuse("FIELD_MALFORMED", reason, "creationPolicy");
  }
  const deletes = deletion === "Delete";
  if (!["Retain", "Merge", "Delete"].includes(deletion)) {
    target.refuse("FIELD_MALFORMED", "it must be Retain, Delete or Merge", "deletionPolicy");
  }
  const refuseDeletion = (reason: string) => target.refuse("DELETION_POLICY", reason, "deletionPolicy");
  if (deletion === "Merge") {
    const reason =
      "the operator removes the keys of a missing source, and the relay keeps them. Use Retain or Delete";
    refuseDeletion(reason);
  } else if (deletes && creation !== "Owner") {
    refuseDeletion(
      `with creationPolicy: ${creation} the operator deletes nothing and reports an error. Use Retain`,
    );
  }
  if (deletes && sources > 1) note("DELETED_AFTER_LAST");
  if (isImmutable && isShared) {
    target.refuse("CREATION_POLICY", "a Secret with other writers cannot be immutable", "immutable");
  }
  if (isImmutable) note("IMMUTABLE_REPORTED");
  if (creation === "Merge") note("MERGE_CREATES");
  if (creation === "Owner") note(deletes ? "DELETED_WITH_BINDING" : "SECRET_STAYS", "FOREIGN_KEYS_KEPT");
  const { type, labels, annotations } = readMetadata(request, template, note);
  const check = CHECKED_TYPES[type ?? ""];
  if (check !== undefined) note(check);
  template?.end();
  target.end();
  return {
    ...(type !== undefined && type !== "Opaque" && { type }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(deletes && { deletionPolicy: "delete" as const }),
    ...(isShared && { ownership: "keys" as const }),
    ...(isImmutable && { immutable: true, onChange: "refuse" as const }),
  };
}

/** The types whose data the relay checks. */
const CHECKED_TYPES: Readonly<Record<string, NoteCode>> = {
  "kubernetes.io/tls": "TLS_CHECKED",
  "kubernetes.io/dockerconfigjson": "DOCKER_CONFIG_CHECKED",
  "kubernetes.io/dockercfg": "DOCKER_CONFIG_CHECKED",
  "kubernetes.io/ssh-auth": "SSH_KEY_CHECKED",
  "kubernetes.io/basic-auth": "BASIC_AUTH_CHECKED",
};

function readMetadata(
  request: ExternalSecretRequest,
  template: FieldReader | undefined,
  note: Conversion["note"],
) {
  if (template === undefined) {
    const all = Object.entries(request.annotations);
    const kept = all.filter(([key]) => !TOOL_ANNOTATIONS.test(key));
    if (kept.length < all.length) note("TOOL_NOTES_DROPPED");
    return { type: undefined, labels: request.labels, annotations: Object.fromEntries(kept) };
  }
  // `readTemplates` reads these fields.
  for (const name of ["engineVersion", "mergePolicy", "templateFrom", "data"]) template.raw(name);
  const type = template.string("type");
  const metadata = template.map("metadata");
  const labels = metadata.stringMap("labels");
  const annotations = metadata.stringMap("annotations");
  if (metadata.stringList("finalizers").length > 0) {
    metadata.refuse("FINALIZERS", "the relay sets no finalizers. Remove them", "finalizers");
  }
  metadata.end();
  for (const [field, values] of Object.entries({ labels, annotations })) {
    for (const [key, value] of Object.entries(values)) {
      if (!value.includes("{{")) continue;
      const reason = `${key} contains a secret value, and the relay writes no values into metadata. Write a fixed text`;
      metadata.refuse("TEMPLATE_METADATA", reason, field);
    }
  }
  return { type, labels, annotations };
}

/** Annotations of kubectl, and of a forced refresh of the ExternalSecret. */
const TOOL_ANNOTATIONS =
  /^(kubectl\.kubernetes\.io\/|external-secrets\.io\/|reconcile\.external-secrets\.io\/|force-sync$)/;
