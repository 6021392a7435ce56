import type { V1ObjectMeta } from "@kubernetes/client-node/dist/gen/models/V1ObjectMeta.js";
import { type LiveMetadata, parseLiveMetadata } from "./live-secret.ts";

/**
 * The form in which the API server gives Secrets without their data but with their type, which a
 * PartialObjectMetadata lacks: what `kubectl get` prints, each row with the object's metadata beside it.
 */
export const TABLE_ACCEPT = "application/json;as=Table;g=meta.k8s.io;v=v1";

export type MetadataPage = {
  readonly secrets: readonly LiveMetadata[];
  /** Present when there is more; only it tells, a page may be short or empty. */
  readonly continueToken?: string;
};

/** Undefined when the text is no Table of Secrets: an older server may answer with the Secrets themselves. */
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
