import { Document, isMap, isSeq } from "yaml";
import type { Converted, ImportOptions } from "./convert-manifests.ts";
import { NOTES } from "./notes.ts";
import { bindingsContent } from "./validate-entry.ts";

/** Writes bindings.yaml, with a comment above each binding that names its original and the differences. */
export function writeBindings(
  converted: readonly Converted[],
  { cluster }: Pick<ImportOptions, "cluster">,
): string {
  // In a binding, the targets are the last field.
  const entries = converted.map(({ entry: { targets, ...rules } }) => ({ ...rules, targets }));
  const document = new Document(bindingsContent(cluster, entries), { aliasDuplicateObjects: false });
  document.commentBefore = HEADER;
  const defaults = document.get("defaults");
  if (isMap(defaults)) defaults.commentBefore = ADOPT;
  const bindings = document.get("bindings");
  for (const [index, binding] of (isSeq(bindings) ? bindings.items : []).entries()) {
    const result = converted[index];
    if (result === undefined || !isMap(binding)) continue;
    binding.commentBefore = commentOf(result);
    const targets = binding.get("targets");
    // One line for each target.
    for (const target of isSeq(targets) ? targets.items : []) if (isMap(target)) target.flow = true;
  }
  return document.toString({ lineWidth: 110 });
}

const HEADER = ` Written by secret-relay import-eso. Check it: secret-relay validate
 Check the EKS cluster and its Region below clusters. The command guesses them if the manifests do not contain them.`;

const ADOPT =
  " For the takeover, because each Secret already has another owner. Remove it after the takeover.";

function commentOf({ file, resource, notes }: Converted): string {
  const codes = notes.filter((code) => NOTES[code].kind === "value");
  return ` ${resource} (${file})${codes.length > 0 ? `\n Differs for some values: ${codes.join(", ")}` : ""}`;
}
