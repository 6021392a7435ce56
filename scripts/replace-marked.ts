/**
 * The page with what stands between the two marks of a name made anew; everything else stays as it is.
 *
 * `script` is the file of scripts/ that writes there: the mark tells readers of the page.
 */
export function replaceMarked(page: string, script: string, name: string, text: string): string {
  const opening = `<!-- ${name}: written by scripts/${script} -->`;
  const closing = `<!-- end of ${name} -->`;
  const begin = page.indexOf(opening);
  const end = page.indexOf(closing);
  if (begin < 0 || end < begin) throw new Error(`A page has lost its marks: ${opening} and ${closing}`);
  return `${page.slice(0, begin)}${opening}\n\n${text}\n\n${page.slice(end)}`;
}
