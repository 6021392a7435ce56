import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import lockfile from "../../package-lock.json" with { type: "json" };
import { ROOT } from "../docs/markdown.ts";

type Package = {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly deprecated?: string;
  readonly hasInstallScript?: boolean;
};

const [root, ...rest] = Object.entries(lockfile.packages as Record<string, Package>);
const packages = rest.map(([path, entry]) => ({
  path,
  name: path.replace(/^.*node_modules\//, ""),
  ...entry,
}));
const shipped = packages.filter(({ dev }) => dev !== true);

it("finds packages at all", () => {
  expect(packages.length).toBeGreaterThan(200);
  expect(shipped.length).toBeGreaterThan(50);
});

describe("the lockfile", () => {
  it("is of the manifest as it stands", () => {
    const { dependencies, devDependencies } = packageJson;
    expect(root?.[1]).toMatchObject({ dependencies, devDependencies });
    const locked = Object.fromEntries(packages.map(({ path, version }) => [path, version]));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(locked[`node_modules/${name}`], name).toBe(version); // so no range either
    }
  });

  it("knows every package by its SHA-512, those of other platforms too", () => {
    expect(packages.filter(({ integrity = "" }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity))).toEqual(
      [],
    );
  });

  it("names no host, no file and no repository to get one from: the registry is whoever installs it chooses", () => {
    expect(packages.filter(({ resolved, link }) => resolved !== undefined || link === true)).toEqual([]);
    const withoutFunding = JSON.stringify(lockfile, (key, value) => (key === "funding" ? undefined : value));
    expect(withoutFunding).not.toMatch(/https?:|git\+|file:/);
  });

  it("has no package that its authors have given up", () => {
    expect(packages.filter(({ deprecated }) => deprecated !== undefined)).toEqual([]);
  });

  it("lets no package run a script when it is installed, but for two that put a program in its place", () => {
    const withScripts = packages.filter(({ hasInstallScript }) => hasInstallScript === true);
    expect(withScripts.map(({ name }) => name).sort()).toEqual(Object.keys(packageJson.allowScripts).sort());
    expect(withScripts.filter(({ dev }) => dev !== true)).toEqual([]);
  });
});

/** Permissive: a copy may be shipped inside of a bundle, under the Apache License of the whole, with the notice kept. */
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
/** Run here and never shipped, so a licence that asks for changes to be published asks for nothing. */
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
  it("of what is shipped allow it, and are what the packages themselves say", () => {
    for (const { path, name, license, optional } of shipped) {
      expect(MAY_BE_SHIPPED, name).toContain(license);
      const own = readManifest(path);
      if (own === undefined) expect(optional, `${name} is not installed`).toBe(true);
      else expect(own.license ?? own.licenses?.[0]?.type, name).toBe(license);
    }
  });

  it("of what is only run here allow that", () => {
    for (const { name, license } of packages) expect(MAY_BE_RUN, name).toContain(license);
  });

  it("have no entry that nobody needs", () => {
    const used = new Set(packages.map(({ license }) => license));
    expect(MAY_BE_RUN.filter((license) => !used.has(license))).toEqual([]);
  });
});

function readManifest(path: string): { license?: string; licenses?: { type: string }[] } | undefined {
  try {
    return JSON.parse(readFileSync(join(ROOT, path, "package.json"), "utf8"));
  } catch {
    return undefined; // of another platform
  }
}
