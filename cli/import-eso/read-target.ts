import type { FieldReader } from "./fields.ts";
import type { Conversion, ExternalSecretRequest, Rules } from "./parts.ts";

/** What the Secret is around its data. */
export function readTarget({ request, note }: Conversion, target: FieldReader, sources: number): Rules {
  const creation = target.text("creationPolicy") ?? "Owner";
  const deletion = target.text("deletionPolicy") ?? "Retain";
  const isImmutable = target.flag("immutable");
  const template = target.has("template") ? target.map("template") : undefined;
  if (target.has("manifest"))
    target.object("NOT_A_SECRET", "it makes another object than a Secret", "manifest");
  if (!["Owner", "Orphan", "Merge"].includes(creation)) {
    target.object(
      "CREATION_POLICY",
      `${creation} writes no Secret, so there is nothing to take over`,
      "creationPolicy",
    );
  }
  const deletes = deletion === "Delete";
  if (deletion !== "Retain" && deletion !== "Merge" && !deletes) {
    target.object("FIELD_MALFORMED", "it is none of Retain, Delete and Merge", "deletionPolicy");
  }
  if (deletion === "Merge") {
    target.object(
      "DELETION_POLICY",
      "it removes keys whose source is gone from the Secret; the relay leaves the Secret as it was",
      "deletionPolicy",
    );
  } else if (deletes && sources > 1) {
    target.object(
      "DELETION_POLICY",
      "with several sources it deletes the Secret once all of them are gone, and drops keys before",
      "deletionPolicy",
    );
  } else if (deletes && creation !== "Owner") {
    target.object(
      "DELETION_POLICY",
      `with creationPolicy: ${creation} the operator deletes nothing and reports an error`,
      "deletionPolicy",
    );
  }
  if (isImmutable && creation === "Merge") {
    target.object("CREATION_POLICY", "a Secret that others write too is not made immutable", "immutable");
  }
  if (isImmutable) note("IMMUTABLE_REPORTED");
  if (creation === "Merge") note("MERGE_CREATES");
  if (creation === "Owner") note(deletes ? "DELETED_WITH_BINDING" : "SECRET_STAYS");
  const { type, labels, annotations } = readMetadata(request, template, note);
  template?.end();
  target.end();
  return {
    ...(type !== undefined && type !== "Opaque" && { type }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(deletes && { deletionPolicy: "delete" as const }),
    ...(creation === "Merge" && { ownership: "keys" as const }),
    ...(isImmutable && { immutable: true, onChange: "refuse" as const }),
  };
}

function readMetadata(
  request: ExternalSecretRequest,
  template: FieldReader | undefined,
  note: Conversion["note"],
) {
  if (template === undefined) {
    const all = Object.entries(request.annotations);
    const kept = all.filter(([key]) => !TOOL_NOTES.test(key));
    if (kept.length < all.length) note("TOOL_NOTES_DROPPED");
    return { type: undefined, labels: request.labels, annotations: Object.fromEntries(kept) };
  }
  // Read by `templated` too, which looks at the data alone.
  for (const name of ["engineVersion", "mergePolicy", "templateFrom", "data"]) template.raw(name);
  const type = template.text("type");
  const metadata = template.map("metadata");
  const labels = metadata.texts("labels");
  const annotations = metadata.texts("annotations");
  if (metadata.names("finalizers").length > 0) {
    metadata.object("FINALIZERS", "the relay sets no finalizers", "finalizers");
  }
  metadata.end();
  for (const [name, texts] of Object.entries({ labels, annotations })) {
    for (const [key, text] of Object.entries(texts)) {
      if (text.includes("{{")) {
        metadata.object(
          "TEMPLATE_METADATA",
          `${key} is made from a value, and the relay puts no value into metadata`,
          name,
        );
      }
    }
  }
  return { type, labels, annotations };
}

/** What kubectl last applied, and what makes the operator refresh now: of the moment, and of the ExternalSecret. */
const TOOL_NOTES =
  /^(kubectl\.kubernetes\.io\/|external-secrets\.io\/|reconcile\.external-secrets\.io\/|force-sync$)/;
