/** A version of CHANGELOG.md. */
export type ChangelogEntry = {
  /** The text after the version in the heading: a date, or "not released yet". */
  readonly when: string;
  readonly text: string;
};

export function changelogEntry(changelog: string, version: string): ChangelogEntry {
  for (const section of changelog.split(/^## /m).slice(1)) {
    const [heading = "", ...lines] = section.split("\n");
    const [title, when = ""] = heading.split(", ");
    if (title === version) return { when, text: lines.join("\n").trim() };
  }
  throw new Error(`CHANGELOG.md has no section "## ${version}, DATE".`);
}

/** Why a tag cannot be released, in sentences. */
export function problemsOfTag(tag: string, version: string, changelog: string): string[] {
  const { when } = changelogEntry(changelog, version);
  return [
    ...(tag === `v${version}` ? [] : [`The tag is "${tag}", but package.json has the version ${version}.`]),
    ...(/^\d{4}-\d{2}-\d{2}$/.test(when)
      ? []
      : [`CHANGELOG.md has "## ${version}, ${when}". Write the date of the release, such as 2026-12-01.`]),
  ];
}
