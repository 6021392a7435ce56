import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const FENCED = /^```(\w*)\n(.*?)^```$/gms;

export type Page = { readonly path: string; readonly text: string };

const NOT_OURS: ReadonlySet<string> = new Set(["node_modules", "dist", "coverage"]);

/** Every page of the repository, by its path from the root. */
export const pages: readonly Page[] = globSync("{*.md,*/**/*.md}", {
  cwd: ROOT,
  exclude: (path) => NOT_OURS.has(String(path).split("/")[0] ?? ""),
}).map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

/** The problems of each page; it is also a problem if no page is found. */
export function problemsOf(find: (page: Page) => readonly string[]): string[] {
  if (pages.length === 0) return ["no page was found"];
  return pages.flatMap((page) => find(page).map((problem) => `${page.path}: ${problem}`));
}

export function pageOf(path: string): Page {
  const page = pages.find((one) => one.path === path);
  if (page === undefined) throw new Error(`The page ${path} does not exist`);
  return page;
}

/** The text outside of fenced blocks. */
export function proseOf({ text }: Page): string {
  return text.replace(FENCED, "");
}

/** The fenced blocks of a kind, such as "sh". */
export function blocksOf({ text }: Page, kind: string): string[] {
  return [...text.matchAll(FENCED)].filter((match) => match[1] === kind).map((match) => match[2] ?? "");
}

/** The valid `#…` of a link, made from the headings as on GitHub. */
export function anchorsOf(page: Page): ReadonlySet<string> {
  const headings = [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? "");
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
