import { execFileSync } from "node:child_process";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import lockfile from "../../package-lock.json" with { type: "json" };
import { FUNCTIONS } from "../../scripts/bundle.ts";
import { type BundledPackage, bundledPackages, printNotices } from "../../scripts/third-party-notices.ts";
import { ROOT } from "../docs/markdown.ts";
import { metafileOf } from "../harness/build-function.ts";

const locked = lockfile.packages as Record<string, { version?: string; license?: string; dev?: boolean }>;
const bundles = new Map<string, readonly BundledPackage[]>();
let purls: ReadonlySet<string>;

beforeAll(async () => {
  for (const name of FUNCTIONS) {
    bundles.set(name, bundledPackages(await metafileOf(name)));
  }
  const bill = execFileSync("npm", ["run", "--silent", "sbom"], { cwd: ROOT, encoding: "utf8" });
  purls = new Set(
    (JSON.parse(bill) as { components: { purl: string }[] }).components.map(({ purl }) => purl),
  );
});

describe.each(FUNCTIONS)("the bundle of the %s function", (name) => {
  const packages = () => bundles.get(name) ?? [];

  it("contains only packages that the lockfile ships and the bill of materials lists", () => {
    expect(packages().length).toBeGreaterThan(10);
    for (const { folder, name: of, version, license } of packages()) {
      expect(locked[folder], folder).toMatchObject({ version, license });
      expect(locked[folder]?.dev, folder).not.toBe(true);
      expect(purls).toContain(`pkg:npm/${of.replace("@", "%40")}@${version}`);
    }
  });

  it("comes with the notice that each licence requires", () => {
    const notices = printNotices(packages());
    for (const { name: of, version, license } of packages()) {
      const [part = ""] = notices
        .split(/^-{80}$/m)
        .filter((one) => one.includes(`\n${of} ${version} (${license})\n`));
      if (license === "MIT-0") continue; // "No Attribution": it requires none
      expect(part, of).toMatch(/copyright/i);
      expect(part, of).toMatch(
        license === "Apache-2.0" ? /Apache License/ : /MERCHANTABILITY|WITHOUT WARRANTY|unencumbered/i,
      );
    }
    expect(notices).not.toMatch(/\/(root|home|work|tmp)\//);
  });
});

describe("the command", () => {
  let external: ReadonlySet<string>;
  let inside: readonly string[];
  beforeAll(async () => {
    const { metafile } = await build({
      ...{
        entryPoints: ["cli/main.ts"],
        absWorkingDir: ROOT,
        bundle: true,
        splitting: true,
        outdir: "dist/unwritten",
      },
      ...{ packages: "external", format: "esm", platform: "node", write: false, metafile: true },
    });
    const outputs = Object.values(metafile.outputs);
    inside = outputs.flatMap(({ inputs }) => Object.keys(inputs));
    external = new Set(
      outputs.flatMap(({ imports }) =>
        imports.flatMap(
          ({ path, external }) => (external && /^(?!node:)(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]) || [],
        ),
      ),
    );
  });

  it("contains no third-party code and needs no notice: npm installs each package with its own", () => {
    expect(inside.filter((file) => file.includes("node_modules"))).toEqual([]);
  });

  it("imports only packages that are dependencies", () => {
    expect(Object.keys(packageJson.dependencies)).toEqual(expect.arrayContaining([...external]));
  });

  it("or a bundle uses each of the dependencies", () => {
    const bundled = new Set([...bundles.values()].flat().map(({ name }) => name));
    const needless = Object.keys(packageJson.dependencies).filter(
      (one) => !external.has(one) && !bundled.has(one),
    );
    expect(needless).toEqual([]);
  });
});
