/**
 * Escapes control characters, except the colours of `styleText`. Names come from clusters, queues, logs and files of
 * others, and could move the cursor, set the window's title or reverse the text.
 */
export function printable(text: string): string {
  return text.replace(COLOUR_OR_CONTROL, (found, colour: string | undefined) =>
    colour === undefined ? `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}` : found,
  );
}

// All styles but 8, which hides text. Tabs and line breaks stay.
const COLOUR_OR_CONTROL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it matches them
  /(\u001b\[(?:[0-79]|[1-9][0-9])m)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
