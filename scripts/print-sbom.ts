// Prints the bill of materials in CycloneDX 1.5: every package that a bundle or the command can contain. Reads only the
// lockfile. Two runs print the same bytes.
//
//   npm run --silent sbom > sbom.cdx.json
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

type Bill = {
  serialNumber?: string;
  readonly metadata: {
    timestamp?: string;
    tools?: unknown;
    readonly component: { name: string; purl?: string; "bom-ref": string };
  };
  components: { readonly "bom-ref": string; readonly purl: string }[];
  dependencies: { readonly ref: string; dependsOn: string[] }[];
};
type Lockfile = {
  readonly name: string;
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly dev?: boolean; readonly link?: boolean }>
  >;
};

const lockfile = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lockfile;
const shipped = new Set(
  Object.entries(lockfile.packages).flatMap(([path, { version, dev, link }]) =>
    !path.includes("node_modules/") || link === true || dev === true
      ? []
      : [purlOf(path.replace(/^.*node_modules\//, ""), version)],
  ),
);

// Without --omit dev: npm 11 then also omits shipped packages that a development package needs, such as yaml.
const whole = execFileSync("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"], {
  encoding: "utf8",
  maxBuffer: 64 * 1024 * 1024,
});
process.stdout.write(`${JSON.stringify(withShippedOnly(JSON.parse(whole) as Bill), null, 2)}\n`);

function withShippedOnly(bill: Bill): Bill {
  // They differ between two runs, or between two versions of npm.
  delete bill.serialNumber;
  delete bill.metadata.timestamp;
  delete bill.metadata.tools;
  bill.components = bill.components.filter(({ purl }) => shipped.has(purl));
  const root = bill.metadata.component;
  root.name = lockfile.name; // npm uses the name of the folder
  const kept = new Set([root["bom-ref"], ...bill.components.map((component) => component["bom-ref"])]);
  bill.dependencies = bill.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
  return bill;
}

function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}
