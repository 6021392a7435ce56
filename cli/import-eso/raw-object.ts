/** The members of a JSON object as the source spells them. */
export type RawObject = {
  readonly members: ReadonlyMap<string, string>;
  /** In the object or one inside it. */
  readonly hasRepeatedKey: boolean;
};

/** `text` is a valid JSON object. The last of repeated keys wins. */
export function readRawObject(text: string): RawObject {
  const members = new Map<string, string>();
  let hasRepeatedKey = false;
  /** The keys of each open object; undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  let [key, start, last] = ["", 0, ""];
  const close = (end: number) => {
    if (open.length !== 1 || start === 0) return;
    members.set(key, text.slice(start, end).trim());
    start = 0;
  };
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === "," || token === "}") close(index);
    if (token === "{" || token === "[") open.push(token === "{" ? new Set() : undefined);
    if (token === "}" || token === "]") open.pop();
    if (token === ":") {
      const name = JSON.parse(last) as string;
      const keys = open.at(-1);
      hasRepeatedKey ||= keys?.has(name) ?? false;
      keys?.add(name);
      if (open.length === 1) [key, start] = [name, index + 1];
    }
    last = token;
  }
  return { members, hasRepeatedKey };
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
