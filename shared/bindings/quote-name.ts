const NAME_SHOWN_MAX = 80;

/** Makes a name safe for a terminal and a log: escapes control characters, cuts long names. */
export function quoteName(name: string): string {
  const shown = name.length > NAME_SHOWN_MAX ? `${name.slice(0, NAME_SHOWN_MAX)}…` : name;
  return escapeControls(JSON.stringify(shown.toWellFormed()));
}

/** Escapes terminal controls, line breaks and bidirectional controls as JSON does. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
