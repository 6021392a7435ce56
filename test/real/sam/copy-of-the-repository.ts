import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** A folder in which `npm run release` can write, without a change of this checkout. */
export type RepositoryCopy = {
  readonly folder: string;
  /** Takes about 20 s, once the environment of install.sh is there. */
  release(): Promise<void>;
  remove(): void;
};

export function copyRepository(): RepositoryCopy {
  const folder = mkdtempSync(join(tmpdir(), "secret-relay-release-"));
  const parts = ["LICENSE", "functions", "package.json", "scripts", "shared", "tsconfig.json"];
  for (const part of [...parts, "template.yaml", "webhook-url.yaml", "monitoring.yaml", "test/real/sam"]) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
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
