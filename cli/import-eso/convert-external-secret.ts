import type { SourceEntry } from "../../shared/bindings/bindings-file.ts";
import type { FieldReader, Objections } from "./fields.ts";
import { isNoInterval } from "./go-duration.ts";
import type { NoteCode } from "./notes.ts";
import type { Conversion, ExternalSecretRequest, PickedKey, Rules } from "./parts.ts";
import { readDataFrom, readPick } from "./read-data.ts";
import { readStoreRef } from "./read-store.ts";
import { readTarget } from "./read-target.ts";
import { readTemplates, type Templated } from "./read-template.ts";
import { entriesOf, mayCollide } from "./source-entries.ts";

export type ConvertedRules = {
  readonly rules: Rules;
  readonly secretName: string;
  readonly notes: readonly NoteCode[];
};

/**
 * Converts one ExternalSecret to the rules of a binding. Every unsupported setting is an objection, and one objection is
 * enough: a missing key or a wrong value takes an application down just like a missing Secret.
 */
export function convertExternalSecret(
  request: ExternalSecretRequest,
  { stores, found }: Pick<Conversion, "stores" | "found">,
  objections: Objections,
): ConvertedRules {
  const { spec, name } = request;
  const notes = new Set<NoteCode>();
  const conversion: Conversion = {
    request,
    stores,
    found,
    objections,
    note: (...codes) => {
      for (const code of codes) notes.add(code);
    },
    store: spec.has("secretStoreRef")
      ? readStoreRef(spec.map("secretStoreRef"), request.namespace)
      : undefined,
  };
  readRefresh(spec);
  const target = spec.map("target");
  const secretName = target.string("name") ?? name;
  const [fromEntries, dataEntries] = [spec.list("dataFrom"), spec.list("data")];
  const isMalformed = [spec.raw("dataFrom"), spec.raw("data")].some(
    (list) => list !== undefined && !Array.isArray(list),
  );
  if (fromEntries.length + dataEntries.length === 0 && !isMalformed) {
    spec.refuse("NOTHING_TO_READ", "data and dataFrom have no entry. Add one that names a secret");
  }
  const extractions = fromEntries.flatMap((entry) => readDataFrom(conversion, entry));
  const picks = dataEntries.flatMap((entry) => readPick(conversion, entry) ?? []);
  checkDuplicates(picks, objections);
  const { entries, named } = readTemplates(conversion, target, extractions, picks) ?? {
    entries: entriesOf(extractions, picks, conversion.note),
  };
  const hasOnlyExtracts = entries.every(({ keys, extract }) => keys === "all" || extract !== undefined);
  if (hasOnlyExtracts && named === undefined) conversion.note("EMPTY_REFUSED");
  const around = readTarget(conversion, target, sourcesIn([...entries, ...(named?.sources ?? [])]));
  spec.end();
  return {
    rules: { ...bySources(entries, named, conversion.note), ...around },
    secretName,
    notes: [...notes],
  };
}

const sourcesIn = (entries: readonly SourceEntry[]): number =>
  new Set(entries.map(({ source, stage, versionId }) => JSON.stringify([source, stage, versionId]))).size;

/** The relay follows its source at once, so an interval is dropped, but a policy that never follows it is refused. */
function readRefresh(spec: FieldReader): void {
  const policy = spec.string("refreshPolicy") ?? "Periodic";
  const interval = spec.raw("refreshInterval");
  if (spec.has("syncWindows")) {
    const reason =
      "the operator refreshes only in these windows, and the relay at each rotation. Rotate the source in the windows, and remove the field";
    spec.refuse("SYNC_WINDOWS", reason, "syncWindows");
  }
  if (policy !== "Periodic") {
    spec.refuse(
      "REFRESH_POLICY",
      `${policy} does not follow the source, and the relay always does. Pin a version instead`,
      "refreshPolicy",
    );
  } else if (interval === 0 || (typeof interval === "string" && isNoInterval(interval))) {
    spec.refuse(
      "REFRESH_POLICY",
      "an interval of 0 or less reads the source only once, and the relay always follows it. Pin a version instead",
      "refreshInterval",
    );
  }
}

function checkDuplicates(picks: readonly PickedKey[], objections: Objections): void {
  for (const [key, found] of Map.groupBy(picks, (pick) => pick.key)) {
    const [, second] = found;
    if (second !== undefined) {
      objections.add(second.path, "KEY_TWICE", `key ${key} is defined twice. Remove one of the entries`);
    }
  }
}

/** The keys of an extract are known only at sync time, so their collisions are resolved then. */
function bySources(
  entries: readonly SourceEntry[],
  named: Templated["named"],
  note: Conversion["note"],
): Rules {
  const [only, ...more] = entries;
  const isLastTaken = mayCollide(entries, named?.keys);
  if (isLastTaken) note("LAST_WINS");
  const collisions = isLastTaken ? ({ collisions: "last" } as const) : {};
  if (named !== undefined) {
    return { sources: [...entries, ...named.sources], ...collisions, keys: named.keys };
  }
  if (only === undefined) return {};
  return more.length === 0 ? only : { sources: entries, ...collisions };
}
