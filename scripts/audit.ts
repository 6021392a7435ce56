// Asks the registry whether any locked package has a known weakness, and says when it could not look: ends with 0 when it
// looked and found none, 1 when it found some, 2 when nobody knows. Needs npm and a registry that has advisories; many
// mirrors have none. Takes a few seconds.
//
//   npm run audit
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

type Weakness = {
  readonly name: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
};
type Report = {
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly via: readonly (string | Omit<Weakness, "name">)[] }>
  >;
  readonly error?: { readonly summary?: string };
  readonly message?: string;
};

class CouldNotLook extends Error {}

try {
  await checkThatAdvisoriesAreThere();
  const found = weaknessesIn(await audit(process.cwd()));
  const shipped = await shippedPackages();
  for (const { name, severity, title, url } of found) {
    const where = shipped.has(name) ? "shipped" : "only run here";
    process.stdout.write(`${severity}: ${name} (${where}): ${title}, ${url}\n`);
  }
  process.stdout.write(`${found.length} known weakness(es) in the locked packages\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof CouldNotLook)) throw error;
  process.stderr.write(
    `Could not look: ${error.message}. Nothing is known about the packages. Ask a registry that has advisories: npm run audit --registry=<its address>\n`,
  );
  process.exitCode = 2;
}

/** A registry that knows of no weakness at all answers like one that found none, so first it is asked about an old one. */
async function checkThatAdvisoriesAreThere(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "audit-"));
  try {
    const dependencies = { minimist: "0.0.8" }; // two advisories since 2020 and 2022
    const root = { name: "known-to-be-weak", version: "1.0.0", dependencies };
    const packages = { "": root, "node_modules/minimist": { version: dependencies.minimist } };
    await writeFile(join(folder, "package.json"), JSON.stringify(root));
    await writeFile(
      join(folder, "package-lock.json"),
      JSON.stringify({ ...root, lockfileVersion: 3, packages }),
    );
    if (weaknessesIn(await audit(folder)).length > 0) return;
  } finally {
    await rm(folder, { recursive: true });
  }
  throw new CouldNotLook(
    "the registry answers, and finds nothing wrong with a package that is known to be weak",
  );
}

async function audit(folder: string): Promise<Report> {
  const args = ["audit", "--json", "--package-lock-only", "--audit-level=none"];
  const { stdout } = await promisify(execFile)("npm", args, {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? "" })); // it fails when it finds something, too
  let report: Report;
  try {
    report = JSON.parse(stdout);
  } catch {
    throw new CouldNotLook("npm audit gave no report");
  }
  if (report.vulnerabilities !== undefined) return report;
  const { message, error } = report;
  throw new CouldNotLook(withoutAddress(message || error?.summary || "npm audit gave no report"));
}

/** A package that only needs a weak one has no advisory of its own, but a name in `via`. */
function weaknessesIn({ vulnerabilities = {} }: Report): Weakness[] {
  return Object.entries(vulnerabilities).flatMap(([name, { via }]) =>
    via.flatMap((advisory) => (typeof advisory === "string" ? [] : [{ ...advisory, name }])),
  );
}

async function shippedPackages(): Promise<ReadonlySet<string>> {
  const { packages } = JSON.parse(await readFile("package-lock.json", "utf8")) as {
    packages: Readonly<Record<string, { dev?: boolean }>>;
  };
  const shipped = Object.entries(packages).filter(([, { dev }]) => dev !== true);
  return new Set(shipped.map(([path]) => path.replace(/^.*node_modules\//, "")));
}

/** npm's message names the registry, whose address may hold a token. */
function withoutAddress(message: string): string {
  return message.replaceAll(/ - \w+ \S+| ?https?:\/\/\S+/g, "");
}
