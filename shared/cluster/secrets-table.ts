import type { V1ObjectMeta } from "@kubernetes/client-node/dist/gen/models/V1ObjectMeta.js";
import { type LiveMetadata, parseLiveMetadata } from "./live-secret.ts";

/**
 * The Table that `kubectl get` prints, with each object's metadata. It has the type of a Secret, which a
 * PartialObjectMetadata lacks, and no data.
 */
export const TABLE_ACCEPT = "application/json;as=Table;g=meta.k8s.io;v=v1";

export type MetadataPage = {
  readonly items: readonly LiveMetadata[];
  /** The Secrets of the page, kept or not. */
  readonly count: number;
  /** Present when there are more pages. A page may be short or empty all the same. */
  readonly continueToken?: string;
};

/** What to keep of one Secret; undefined for one that must not be in the response. */
export type SelectRow = (live: LiveMetadata) => { readonly kept: LiveMetadata | undefined } | undefined;

/**
 * Undefined unless it is a Table of Secrets: an older server may return the Secrets themselves. Selects row by row, so
 * that the parsed managedFields of only one Secret are in memory.
 */
export function parseSecretsTable(text: string, select: SelectRow): MetadataPage | undefined {
  try {
    return parseTable(JSON.parse(text) as Table, select);
  } catch {
    return undefined;
  }
}

function parseTable(
  { kind, metadata, columnDefinitions, rows = [] }: Table,
  select: SelectRow,
): MetadataPage | undefined {
  const typeColumn = columnDefinitions?.findIndex(({ name }) => name === "Type") ?? -1;
  if (kind !== "Table" || typeColumn < 0) return undefined;
  const { continue: continueToken = "" } = metadata ?? {};
  if (typeof continueToken !== "string") return undefined;
  const items: LiveMetadata[] = [];
  for (const { cells, object } of rows ?? []) {
    const selected = select(parseLiveMetadata(object?.metadata ?? {}, cells?.[typeColumn] ?? null));
    if (selected === undefined) return undefined;
    if (selected.kept !== undefined) items.push(selected.kept);
  }
  const count = rows?.length ?? 0;
  return { items, count, ...(continueToken !== "" && { continueToken }) };
}

type Table = {
  kind?: string;
  metadata?: { continue?: string };
  columnDefinitions?: { name?: string }[];
  rows?: { cells?: unknown[]; object?: { metadata?: V1ObjectMeta } }[] | null;
};
