/**
 * Good for text and for attributes in quotes, in HTML and in SVG. Neither has a way to write a NUL, so that becomes the
 * replacement mark.
 */
export function escapeText(text: string): string {
  return text.replaceAll("\0", "\ufffd").replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
