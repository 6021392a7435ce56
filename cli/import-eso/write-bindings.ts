import { Document, isMap, isSeq } from "yaml";
import type { BindingEntry } from "../../shared/bindings/bindings-file.ts";
import type { Converted, ImportOptions } from "./convert-manifests.ts";
import { NOTES } from "./notes.ts";

/** A bindings.yaml with what was converted; above each binding stands what it was, and what is good to know. */
export function writeBindings(
  converted: readonly Converted[],
  { cluster }: Pick<ImportOptions, "cluster">,
): string {
  const file = {
    version: 1,
    clusters: { [cluster.key]: { name: cluster.name, region: cluster.region } },
    defaults: { adopt: true },
    bindings: converted.map(({ entry }) => inOrder(entry)),
  };
  const document = new Document(file, { aliasDuplicateObjects: false });
  document.commentBefore = HEADER;
  const defaults = document.get("defaults");
  if (isMap(defaults)) defaults.commentBefore = ADOPT;
  const bindings = document.get("bindings");
  for (const [index, binding] of (isSeq(bindings) ? bindings.items : []).entries()) {
    const result = converted[index];
    if (result === undefined || !isMap(binding)) continue;
    binding.commentBefore = commentOf(result);
    const targets = binding.get("targets");
    // One line for each target: a list of them is read from top to bottom.
    for (const target of isSeq(targets) ? targets.items : []) if (isMap(target)) target.flow = true;
  }
  return document.toString({ lineWidth: 110 });
}

const HEADER = ` Made by secret-relay import-eso. Check it with: secret-relay validate
 Below clusters stand the EKS cluster and its Region, as far as they were said: correct them where they were not.`;

const ADOPT = " For the takeover: each Secret is there already, and somebody else's. Remove it afterwards.";

function commentOf({ file, resource, notes }: Converted): string {
  const codes = notes.filter((code) => NOTES[code].kind === "value");
  return ` ${resource} (${file})${codes.length > 0 ? `\n Not the same for every value: ${codes.join(", ")}` : ""}`;
}

/** What it is made from first, where it goes last, as one reads it. */
function inOrder({ targets, ...rules }: BindingEntry): object {
  return { ...rules, targets };
}
