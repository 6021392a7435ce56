import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import lockfileJson from "../../package-lock.json" with { type: "json" };
import { ROOT } from "../docs/markdown.ts";

// `npm run sbom`, as in a deployment. test/real/sam tests that it follows CycloneDX's schema, because that
// schema is available there.

type Component = {
  readonly purl: string;
  readonly hashes?: readonly { alg: string; content: string }[];
  readonly licenses?: readonly { license?: { id: string }; expression?: string }[];
};

type Lockfile = {
  readonly packages: Readonly<
    Record<string, { version?: string; integrity?: string; dev?: boolean; link?: boolean }>
  >;
};

const bill = JSON.parse(
  execFileSync("npm", ["run", "--silent", "sbom"], { cwd: ROOT, encoding: "utf8" }),
) as {
  metadata: { component: { name: string; version: string } };
  components: Component[];
};
const lockfile: Lockfile = lockfileJson;
const shipped = Object.entries(lockfile.packages).flatMap(([path, { version, integrity, dev, link }]) =>
  !path.includes("node_modules/") || link === true || dev === true
    ? []
    : [
        {
          purl: `pkg:npm/${path.replace(/^.*node_modules\//, "").replace("@", "%40")}@${version}`,
          integrity,
        },
      ],
);

it("lists every shipped package, and no other", () => {
  expect(shipped.length).toBeGreaterThan(50);
  expect(bill.components.map(({ purl }) => purl).sort()).toEqual(
    [...new Set(shipped.map(({ purl }) => purl))].sort(),
  );
  const { name, version } = packageJson;
  expect(bill.metadata.component).toMatchObject({ name, version });
});

it("has the hash in the lockfile and a licence for each", () => {
  const hashes = new Map(
    shipped.map(({ purl, integrity = "" }) => [
      purl,
      Buffer.from(integrity.slice(7), "base64").toString("hex"),
    ]),
  );
  for (const { purl, hashes: told, licenses } of bill.components) {
    expect(told, purl).toEqual([{ alg: "SHA-512", content: hashes.get(purl) }]);
    expect(licenses?.length, purl).toBe(1);
  }
});

it("contains no address and no path of the build machine", () => {
  expect(JSON.stringify(bill.components)).not.toMatch(/https?:|file:|\/(root|home|work|tmp)\//);
});
