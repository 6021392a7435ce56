import type { SourceEntry } from "../../shared/bindings/bindings-file.ts";
import type { FieldReader, Objections } from "./fields.ts";
import type { NoteCode } from "./notes.ts";
import type { Conversion, ExternalSecretRequest, PickedKey, Rules } from "./parts.ts";
import { readExtract, readPick, readStoreRef } from "./read-data.ts";
import { readTarget } from "./read-target.ts";
import { readTemplates } from "./read-template.ts";
import { entriesOf } from "./source-entries.ts";
import type { Stores } from "./stores.ts";

export type ConvertedRules = {
  readonly rules: Rules;
  readonly secretName: string;
  readonly notes: readonly NoteCode[];
};

/**
 * One ExternalSecret as the rules of a binding. Whatever has no equal is an objection, and one is enough: a Secret that
 * lacks a key, or has another value under it, takes an application down just like a missing one.
 */
export function convertExternalSecret(
  request: ExternalSecretRequest,
  stores: Stores,
  wrong: Objections,
): ConvertedRules {
  const { spec, name } = request;
  const notes = new Set<NoteCode>();
  const conversion: Conversion = {
    request,
    stores,
    wrong,
    note: (...codes) => {
      for (const code of codes) notes.add(code);
    },
    store: spec.has("secretStoreRef")
      ? readStoreRef(spec.map("secretStoreRef"), request.namespace)
      : undefined,
  };
  readRefresh(spec);
  if (!spec.has("data") && !spec.has("dataFrom")) {
    spec.object("NOTHING_TO_READ", "it has neither data nor dataFrom");
  }
  const target = spec.map("target");
  const secretName = target.text("name") ?? name;
  const extractions = spec.list("dataFrom").flatMap((entry) => readExtract(conversion, entry) ?? []);
  const picks = spec.list("data").flatMap((entry) => readPick(conversion, entry) ?? []);
  checkTwice(picks, wrong);
  const entries =
    readTemplates(conversion, target, extractions, picks) ?? entriesOf(extractions, picks, conversion.note);
  const around = readTarget(conversion, target, sourcesIn(entries));
  spec.end();
  return {
    rules: { ...bySources(entries, extractions.length > 0), ...around },
    secretName,
    notes: [...notes],
  };
}

const sourcesIn = (entries: readonly SourceEntry[]): number =>
  new Set(entries.map(({ source, stage, versionId }) => JSON.stringify([source, stage, versionId]))).size;

/** The relay follows its source at once, so an interval goes; but not following at all is another thing. */
function readRefresh(spec: FieldReader): void {
  const policy = spec.text("refreshPolicy") ?? "Periodic";
  const interval = spec.raw("refreshInterval");
  if (policy !== "Periodic") {
    spec.object(
      "REFRESH_POLICY",
      `${policy} keeps the Secret as it was, and the relay always follows the source. Pin a version instead`,
      "refreshPolicy",
    );
  } else if (
    interval === 0 ||
    (typeof interval === "string" && /^0+(\.0+)?(ns|us|µs|ms|s|m|h)?$/.test(interval))
  ) {
    spec.object(
      "REFRESH_POLICY",
      "an interval of 0 reads the source once, and the relay always follows it. Pin a version instead",
      "refreshInterval",
    );
  }
}

function checkTwice(picks: readonly PickedKey[], wrong: Objections): void {
  for (const [key, found] of Map.groupBy(picks, (pick) => pick.key)) {
    const [, second] = found;
    if (second !== undefined) {
      wrong.add(
        second.path,
        "KEY_TWICE",
        `the key ${key} is made twice. Remove the entry that does not count`,
      );
    }
  }
}

/** One source beside its rules; several in a list. Keys of an extract are known only when it is read. */
function bySources(entries: readonly SourceEntry[], hasExtractions: boolean): Rules {
  const [only, ...more] = entries;
  if (only === undefined) return {};
  if (more.length === 0) return only;
  return { sources: entries, ...(hasExtractions && { collisions: "last" as const }) };
}
