// Between two of these characters the parser keeps a node or an error of 800 to 1,300 bytes: 16 MiB of closing brackets
// would take 20 GB, 1,500,000 take 1.6 GB. 50,000 fully quoted bindings of five lines have 1,450,000 of them.
const MARKS_MAX = 1_500_000;
const MARK = /[,[\]{}"'\\&*!]|[-?:](?=\s)/g;

/** Whether the YAML parser would need too much memory for a text. */
export function hasTooManyMarks(text: string): boolean {
  let count = 0;
  for (const [mark] of text.matchAll(MARK)) {
    count += mark === '"' || mark === "'" ? 0.5 : 1; // they come in pairs
    if (count > MARKS_MAX) return true;
  }
  return false;
}
