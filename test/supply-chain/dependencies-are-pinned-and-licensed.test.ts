import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import lockfile from "../../package-lock.json" with { type: "json" };
import { ROOT } from "../docs/markdown.ts";

type Package = {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly deprecated?: string;
  readonly hasInstallScript?: boolean;
};

const { "": root, ...rest } = lockfile.packages as Record<string, Package>;
/** The folder of the command, which `npm ci` links into node_modules/.bin. */
const OWN = ["bin", "node_modules/secret-relay"];
const packages = Object.entries(rest)
  .filter(([path]) => !OWN.includes(path))
  .map(([path, entry]) => ({
    path,
    name: path.replace(/^.*node_modules\//, ""),
    ...entry,
  }));
const shipped = packages.filter(({ dev }) => dev !== true);

it("the lockfile has packages", () => {
  expect(packages.length).toBeGreaterThan(200);
  expect(shipped.length).toBeGreaterThan(50);
});

describe("the lockfile", () => {
  it("matches the manifest", () => {
    const { dependencies, devDependencies } = packageJson;
    expect(root).toMatchObject({ dependencies, devDependencies });
    const locked = Object.fromEntries(packages.map(({ path, version }) => [path, version]));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(locked[`node_modules/${name}`], name).toBe(version); // so the manifest has no ranges
    }
  });

  it("has the SHA-512 of every package, also for other platforms", () => {
    expect(packages.filter(({ integrity = "" }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity))).toEqual(
      [],
    );
  });

  it("names no host, file or repository: npm uses the configured registry", () => {
    expect(packages.filter(({ resolved, link }) => resolved !== undefined || link === true)).toEqual([]);
    const withoutFunding = JSON.stringify(lockfile, (key, value) => (key === "funding" ? undefined : value));
    expect(withoutFunding).not.toMatch(/https?:|git\+|file:/);
  });

  it("has no deprecated package", () => {
    expect(packages.filter(({ deprecated }) => deprecated !== undefined)).toEqual([]);
  });

  it("permits install scripts only for two packages that install a program", () => {
    const withScripts = packages.filter(({ hasInstallScript }) => hasInstallScript === true);
    expect(withScripts.map(({ name }) => name).sort()).toEqual(Object.keys(packageJson.allowScripts).sort());
    expect(withScripts.filter(({ dev }) => dev !== true)).toEqual([]);
  });
});

/** Permissive: a bundle under the Apache License can contain a copy, with its notice. */
const MAY_BE_SHIPPED = [
  "0BSD",
  "Apache-2.0",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "ISC",
  "MIT",
  "MIT-0",
  "PSF-2.0",
  "Unlicense",
];
/** Used in development and never shipped, so an obligation to publish changes does not apply. */
const MAY_BE_RUN = [
  ...MAY_BE_SHIPPED,
  "BSD-2-Clause",
  "CC BY-SA 4.0",
  "MIT OR Apache-2.0",
  "MPL-2.0",
  "Python-2.0",
  "WTFPL",
];

describe("licences", () => {
  it("of shipped packages permit shipping, and match the packages' own manifests", () => {
    for (const { path, name, license, optional } of shipped) {
      expect(MAY_BE_SHIPPED, name).toContain(license);
      const own = readManifest(path);
      if (own === undefined) expect(optional, `${name} is not installed`).toBe(true);
      else expect(own.license ?? own.licenses?.[0]?.type, name).toBe(license);
    }
  });

  it("of development packages permit their use", () => {
    for (const { name, license } of packages) expect(MAY_BE_RUN, name).toContain(license);
  });

  it("have no unused entry in the list", () => {
    const used = new Set(packages.map(({ license }) => license));
    expect(MAY_BE_RUN.filter((license) => !used.has(license))).toEqual([]);
  });
});

function readManifest(path: string): { license?: string; licenses?: { type: string }[] } | undefined {
  try {
    return JSON.parse(readFileSync(join(ROOT, path, "package.json"), "utf8"));
  } catch {
    return undefined; // for another platform
  }
}
