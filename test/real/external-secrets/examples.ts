/**
 * The examples of ESO's own documentation for AWS Secrets Manager, as import-eso converts them. They are downloaded by
 * download.sh and never committed; examples.json has the results. Update it, and then the counts in the documentation:
 *
 *   node test/real/external-secrets/examples.ts && node scripts/generate-migration-docs.ts
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Conversions, convertManifests } from "../../../cli/import-eso/convert-manifests.ts";
import { type Manifest, manifestsOf, readManifests } from "../../../cli/import-eso/manifest.ts";
import { NOTES } from "../../../cli/import-eso/notes.ts";
import type { ExampleResult } from "../../../scripts/eso-constructs.ts";
import { externalSecretsFile } from "./install.ts";

const RESULTS = new URL("examples.json", import.meta.url);

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

/** What becomes of an example, for examples.json. */
export function resultOf({ file, converted, notConverted, unread }: Example): ExampleResult {
  const notes = new Set(
    converted.flatMap(({ notes }) => notes).filter((code) => NOTES[code].kind === "value"),
  );
  return {
    file,
    ...(converted.length > 0 && { notes: [...notes] }),
    ...(notConverted.length > 0 && {
      refused: notConverted.flatMap(({ objections }) =>
        objections.map(({ path, code }) => `${path} ${code}`),
      ),
    }),
    ...(unread !== undefined && { unread }),
  };
}

if (import.meta.main) {
  writeFileSync(RESULTS, `${JSON.stringify(readExamples().map(resultOf), null, 2)}\n`);
}
