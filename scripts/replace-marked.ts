/** The page with the text between the markers of `name` replaced. The marker names the script that writes the text. */
export function replaceMarked(page: string, script: string, name: string, text: string): string {
  const opening = `<!-- ${name}: written by scripts/${script} -->`;
  const closing = `<!-- end of ${name} -->`;
  const begin = page.indexOf(opening);
  const end = page.indexOf(closing);
  if (begin < 0 || end < begin) throw new Error(`The page lacks the markers ${opening} and ${closing}`);
  return `${page.slice(0, begin)}${opening}\n\n${text}\n\n${page.slice(end)}`;
}
