import type { V1ObjectMeta } from "@kubernetes/client-node/dist/gen/models/V1ObjectMeta.js";
import { type LiveMetadata, parseLiveMetadata } from "./live-secret.ts";

/**
 * The Table that `kubectl get` prints, with each object's metadata. It has the type of a Secret, which a
 * PartialObjectMetadata lacks, and no data.
 */
export const TABLE_ACCEPT = "application/json;as=Table;g=meta.k8s.io;v=v1";

export type MetadataPage = {
  readonly secrets: readonly LiveMetadata[];
  /** Present when there are more pages. A page may be short or empty all the same. */
  readonly continueToken?: string;
};

/** Undefined unless it is a Table of Secrets: an older server may return the Secrets themselves. */
export function parseSecretsTable(text: string): MetadataPage | undefined {
  try {
    return parseTable(JSON.parse(text) as Table);
  } catch {
    return undefined;
  }
}

function parseTable({ kind, metadata, columnDefinitions, rows }: Table): MetadataPage | undefined {
  const typeColumn = columnDefinitions?.findIndex(({ name }) => name === "Type") ?? -1;
  if (kind !== "Table" || typeColumn < 0) return undefined;
  const secrets = (rows ?? []).map(({ cells, object }) =>
    parseLiveMetadata(object?.metadata ?? {}, cells?.[typeColumn] ?? null),
  );
  const { continue: continueToken = "" } = metadata ?? {};
  if (typeof continueToken !== "string") return undefined;
  return { secrets, ...(continueToken !== "" && { continueToken }) };
}

type Table = {
  kind?: string;
  metadata?: { continue?: string };
  columnDefinitions?: { name?: string }[];
  rows?: { cells?: unknown[]; object?: { metadata?: V1ObjectMeta } }[];
};
