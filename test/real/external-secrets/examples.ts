/**
 * The examples of ESO's own documentation for AWS Secrets Manager, as import-eso takes them, and the table of that in
 * docs/migrate-from-eso.md. They are downloaded by download.sh and never committed. Renew the table with
 *
 *   node test/real/external-secrets/examples.ts
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Conversions, convertManifests } from "../../../cli/import-eso/convert-manifests.ts";
import { type Manifest, manifestsOf, readManifests } from "../../../cli/import-eso/manifest.ts";
import { NOTES } from "../../../cli/import-eso/notes.ts";
import { externalSecretsFile } from "./install.ts";

const PAGE = new URL("../../../docs/migrate-from-eso.md", import.meta.url);

export type Example = Conversions & {
  readonly file: string;
  readonly manifests: readonly Manifest[];
  /** The reason why the file is not a manifest. */
  readonly unread?: string;
};

/** The snippets for AWS Secrets Manager, and those without a provider. */
export function readExamples(): Example[] {
  const folder = externalSecretsFile("snippets");
  const files = readdirSync(folder)
    .filter((file) => FILES.test(file))
    .sort();
  const texts = new Map(
    files.map((file) => [file, plain(readFileSync(join(folder, file), "utf8"))] as const),
  );
  return files
    .filter((file) => /^kind: (Cluster)?ExternalSecret\s*$/m.test(texts.get(file) ?? ""))
    .map((file) => {
      const { manifests, problems } = readManifests(file, texts.get(file) ?? "");
      const conversions = convertManifests([...manifests, ...PARAMETER_STORE], {
        cluster: { key: "prod", name: "prod", region: "eu-central-1" },
        location: {},
        // The stores stand in other snippets, or in none.
        assumeStores: true,
        namespace: "default",
      });
      const [problem] = problems;
      return { file, manifests, ...conversions, ...(problem && { unread: problem.reason }) };
    });
}

const FILES =
  /^(aws|basic|full|datafrom|getallsecrets|template|merge|multi|filter|helm|jwk|pkcs12|rsadecrypt|manifest|generator-(ecr|sts))[\w-]*\.yaml$/;

/** Its page names this store so; it reads from Parameter Store. */
const PARAMETER_STORE = manifestsOf("parameter-store.yaml", {
  apiVersion: "external-secrets.io/v1",
  kind: "ClusterSecretStore",
  metadata: { name: "cluster-parameter-store" },
  spec: { provider: { aws: { service: "ParameterStore", region: "eu-central-1" } } },
});

/** Markers of the page generator do not belong to an example. */
const plain = (text: string): string => text.replace(/^\s*\{%-?\s*(end)?raw\s*-?%\}\s*$/gm, "");

/** The page with its table generated again. */
export function withExamples(page: string): string {
  const opening = "<!-- examples: written by test/real/external-secrets/examples.ts -->";
  const closing = "<!-- end of examples -->";
  const [begin, end] = [page.indexOf(opening), page.indexOf(closing)];
  if (begin < 0 || end < begin)
    throw new Error("docs/migrate-from-eso.md has lost the markers of its examples");
  const rows = readExamples().map((example) => `| \`${example.file}\` | ${becomes(example)} |`);
  return `${page.slice(0, begin)}${opening}\n\n| example | becomes |\n| --- | --- |\n${rows.join("\n")}\n\n${page.slice(end)}`;
}

function becomes({ converted, notConverted, unread }: Example): string {
  if (unread !== undefined) return `not read: ${unread}`;
  const codes = new Set(
    converted.flatMap(({ notes }) => notes).filter((code) => NOTES[code].kind === "value"),
  );
  const made =
    codes.size === 0
      ? "a binding that makes the same"
      : `a binding; not the same for every value: ${[...codes].map((code) => `\`${code}\``).join(", ")}`;
  const reasons = notConverted
    .flatMap(({ objections }) => objections)
    // Of a template the reason quotes a piece, which is left where it is from.
    .map(
      ({ path, code, reason }) =>
        `\`${path}\`: \`${code}\`, ${reason.replace(/(not a plain variable): .*$/s, "$1")}`,
    );
  return [
    ...(converted.length > 0 ? [made] : []),
    ...(reasons.length > 0 ? [`not converted: ${reasons.join("; ")}`] : []),
  ].join("<br>");
}

if (import.meta.main) writeFileSync(PAGE, withExamples(readFileSync(PAGE, "utf8")));
