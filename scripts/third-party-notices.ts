import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Metafile } from "esbuild";

/** In each bundle's folder and in a release: the packages in the bundles, with the licence notices that every copy must include. */
export const NOTICES_FILE = "THIRD_PARTY_NOTICES.txt";

export type BundledPackage = {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Relative to the root of the repository, as in the metafile of esbuild. */
  readonly folder: string;
};

/** The packages whose code is in a bundle. */
export function bundledPackages({ outputs }: Pick<Metafile, "outputs">): BundledPackage[] {
  const folders = new Set(
    Object.values(outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => {
        const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
        return folder !== undefined && bytesInOutput > 0 ? [folder] : [];
      }),
    ),
  );
  return [...folders].sort().map((folder) => {
    const manifest = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
    const { name, version, license } = manifest as { name: string; version: string; license: string };
    return { name, version, license, folder };
  });
}

export function printNotices(packages: readonly BundledPackage[]): string {
  const head =
    "The bundled functions hold code of the packages below, each under its own licence. eks-secret-relay itself is under the Apache License 2.0.\n";
  const texts = Map.groupBy(packages, (one) => noticeOf(one));
  const parts = [...texts].map(([text, alike]) => {
    const names = alike.map(({ name, version, license }) => `${name} ${version} (${license})`);
    return `${RULE}\n${names.join("\n")}\n\n${text}\n`;
  });
  return [head, ...parts].join("\n");
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const RULE = "-".repeat(80);

/** The licence files of a package, or the standard licence text with its copyright holder. */
function noticeOf({ name, license, folder }: BundledPackage): string {
  const files = readdirSync(join(ROOT, folder)).filter((file) => NOTICE_FILES.test(file));
  const texts = files.sort().map((file) => readFileSync(join(ROOT, folder, file), "utf8").trim());
  if (texts.length > 0) return texts.join("\n\n");
  if (license === "MIT-0") return "The MIT No Attribution licence does not require a notice.";
  if (license === "Apache-2.0") return readFileSync(join(ROOT, "LICENSE"), "utf8").trim();
  const holder = HOLDERS[name];
  if (license === "MIT" && holder !== undefined) return `Copyright (c) ${holder}\n\n${MIT}`;
  throw new Error(
    `${name} ships without a licence text. Find its copyright holder in its files, and add it to HOLDERS.`,
  );
}

const NOTICE_FILES = /^(licen[cs]e|notice|copying|copyright)/i;

/** From each package's README and manifest. */
const HOLDERS: Readonly<Record<string, string>> = {
  "@middy/core": "2017-2026 will Farrell, Luciano Mammino, and Middy contributors",
  standardwebhooks: "Standard Webhooks",
};

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use,
copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom
the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
