// Checks every locked package for known vulnerabilities. Exit code: 0 none found, 1 some found, 2 the registry could not
// answer. Many mirrors have no advisories, so the script first proves that the registry has them.
//
//   npm run audit
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

type Vulnerability = {
  readonly name: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
};
type Report = {
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly via: readonly (string | Omit<Vulnerability, "name">)[] }>
  >;
  readonly error?: { readonly summary?: string };
  readonly message?: string;
};

class AuditUnavailable extends Error {}

try {
  await checkThatRegistryHasAdvisories();
  const found = vulnerabilitiesIn(await audit(process.cwd()));
  const shipped = await shippedPackages();
  for (const { name, severity, title, url } of found) {
    const use = shipped.has(name) ? "shipped" : "development only";
    process.stdout.write(`${severity}: ${name} (${use}): ${title}, ${url}\n`);
  }
  process.stdout.write(`${found.length} known vulnerabilities in the locked packages\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof AuditUnavailable)) throw error;
  process.stderr.write(
    `Audit not possible: ${error.message}. Use a registry that has advisories: npm run audit --registry=<URL>\n`,
  );
  process.exitCode = 2;
}

/** A registry without advisories answers like one that found nothing, so ask about a known vulnerable package first. */
async function checkThatRegistryHasAdvisories(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "audit-"));
  try {
    const dependencies = { minimist: "0.0.8" }; // two advisories since 2020 and 2022
    const root = { name: "known-vulnerable", version: "1.0.0", dependencies };
    const packages = { "": root, "node_modules/minimist": { version: dependencies.minimist } };
    await writeFile(join(folder, "package.json"), JSON.stringify(root));
    await writeFile(
      join(folder, "package-lock.json"),
      JSON.stringify({ ...root, lockfileVersion: 3, packages }),
    );
    if (vulnerabilitiesIn(await audit(folder)).length > 0) return;
  } finally {
    await rm(folder, { recursive: true });
  }
  throw new AuditUnavailable("the registry reports nothing for a package with known vulnerabilities");
}

async function audit(folder: string): Promise<Report> {
  const args = ["audit", "--json", "--package-lock-only", "--audit-level=none"];
  const { stdout } = await promisify(execFile)("npm", args, {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? "" })); // npm also fails when it finds vulnerabilities
  let report: Report;
  try {
    report = JSON.parse(stdout);
  } catch {
    throw new AuditUnavailable("npm audit did not return a report");
  }
  if (report.vulnerabilities !== undefined) return report;
  const { message, error } = report;
  throw new AuditUnavailable(
    withoutAddress(message || error?.summary || "npm audit did not return a report"),
  );
}

/** `via` holds advisories, and names of vulnerable dependencies, which have their own entry. */
function vulnerabilitiesIn({ vulnerabilities = {} }: Report): Vulnerability[] {
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

/** npm's message contains the registry's URL, which may contain a token. */
function withoutAddress(message: string): string {
  return message.replaceAll(/ - \w+ \S+| ?https?:\/\/\S+/g, "");
}
