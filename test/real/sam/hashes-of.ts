import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

/** The SHA-256 of each file, by its path in the folder. */
export function hashesOf(folder: string, pattern = "*"): Record<string, string> {
  return Object.fromEntries(
    globSync(pattern, { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(folder.length + 1), sha256(file)]),
  );
}
