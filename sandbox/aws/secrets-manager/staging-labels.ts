import { findLabelled, type Version, type Versions } from "./secret.ts";

/** A label and its new version. */
export type LabelMove = { readonly label: string; readonly versionId: string };

export type Relabelled = { readonly versions: Versions; readonly moves: readonly LabelMove[] };

/**
 * Moves labels to one version, taking them from their previous versions.
 *
 * AWSPREVIOUS moves to the version that AWSCURRENT left, and a version that becomes current loses AWSPENDING: AWS
 * clears it in the call that finishes a rotation.
 */
export function moveLabels(versions: Versions, labels: readonly string[], toVersionId: string): Relabelled {
  const edit = new Map(versions);
  const moves: LabelMove[] = [];
  for (const label of labels) {
    const holder = findLabelled(edit, label);
    if (holder?.id === toVersionId) continue;
    if (holder !== undefined) edit.set(holder.id, without(holder, label));
    attach(edit, label, toVersionId);
    moves.push({ label, versionId: toVersionId });
    if (label !== "AWSCURRENT") continue;
    detach(edit, toVersionId, "AWSPENDING");
    if (holder === undefined) continue;
    const previous = findLabelled(edit, "AWSPREVIOUS");
    if (previous !== undefined) edit.set(previous.id, without(previous, "AWSPREVIOUS"));
    attach(edit, "AWSPREVIOUS", holder.id);
    moves.push({ label: "AWSPREVIOUS", versionId: holder.id });
  }
  return { versions: edit, moves };
}

export function removeLabel(versions: Versions, label: string, fromVersionId: string): Versions {
  const edit = new Map(versions);
  detach(edit, fromVersionId, label);
  return edit;
}

function attach(edit: Map<string, Version>, label: string, versionId: string): void {
  const version = edit.get(versionId);
  if (version !== undefined) edit.set(versionId, { ...version, labels: [...version.labels, label] });
}

function detach(edit: Map<string, Version>, versionId: string, label: string): void {
  const version = edit.get(versionId);
  if (version?.labels.includes(label)) edit.set(versionId, without(version, label));
}

function without(version: Version, label: string): Version {
  return { ...version, labels: version.labels.filter((other) => other !== label) };
}
