import type { Row } from "./model.ts";
import { STATE_ORDER } from "./states.ts";

/**
 * Rows for page.js: repeated strings are stored once, so that ten thousand rows are about one megabyte.
 * A row is state, cluster, namespace, name, source, code, meaning, why, advice, command, version, time of the last write
 * in seconds, and time to effective; strings and states are indexes of their lists.
 */
export function packRows(rows: readonly Row[]) {
  const texts: string[] = [];
  const positions = new Map<string, number>();
  const positionOf = (text: string): number => {
    const known = positions.get(text);
    if (known !== undefined) return known;
    positions.set(text, texts.length);
    return texts.push(text) - 1;
  };
  return {
    states: STATE_ORDER,
    rows: rows.map((row) => [
      STATE_ORDER.indexOf(row.state),
      positionOf(row.cluster),
      positionOf(row.namespace),
      row.name,
      positionOf(row.source),
      positionOf(row.code),
      positionOf(row.meaning),
      positionOf(row.why),
      positionOf(row.advice),
      row.command ?? "",
      row.versionId ?? "",
      row.writtenAt === undefined ? 0 : Math.floor(Date.parse(row.writtenAt) / 1_000),
      row.effective,
    ]),
    texts,
  };
}
