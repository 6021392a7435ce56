import type { Row } from "./model.ts";
import { STATE_ORDER } from "./states.ts";

/**
 * Rows for the script of the page: repeated strings are stored once, so that ten thousand rows are about one megabyte.
 * A row is state, cluster, namespace, name, source, code, meaning, why, advice, command, version and time of the last
 * write in seconds; strings and states are positions in their lists.
 */
export function packRows(rows: readonly Row[]) {
  const texts: string[] = [];
  const places = new Map<string, number>();
  const placeOf = (text: string): number => {
    const known = places.get(text);
    if (known !== undefined) return known;
    places.set(text, texts.length);
    return texts.push(text) - 1;
  };
  return {
    states: STATE_ORDER,
    rows: rows.map((row) => [
      STATE_ORDER.indexOf(row.state),
      placeOf(row.cluster),
      placeOf(row.namespace),
      row.name,
      placeOf(row.source),
      placeOf(row.code),
      placeOf(row.meaning),
      placeOf(row.why),
      placeOf(row.advice),
      row.command ?? "",
      row.versionId ?? "",
      row.writtenAt === undefined ? 0 : Math.floor(Date.parse(row.writtenAt) / 1_000),
    ]),
    texts,
  };
}
