import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** What a release is made of. */
const PARTS = [
  ...[".npmrc", "package.json", "package-lock.json", "tsconfig.json"],
  ...["bin", "cli", "functions", "scripts", "shared", "test/real/sam"],
  ...["README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "bindings.yaml"],
  ...["template.yaml", "webhook-url.yaml", "monitoring.yaml"],
];

/** A folder in which `npm run release` can write, without a change of this checkout. */
export type RepositoryCopy = {
  readonly folder: string;
  /** Takes about 20 s, once the environment of install.sh is there. */
  release(): Promise<void>;
  remove(): void;
};

export function copyRepository(): RepositoryCopy {
  const folder = mkdtempSync(join(tmpdir(), "secret-relay-release-"));
  for (const part of PARTS) {
    if (existsSync(join(root, part))) cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    release: async () => {
      await promisify(execFile)(process.execPath, ["scripts/release.ts"], { cwd: folder });
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
