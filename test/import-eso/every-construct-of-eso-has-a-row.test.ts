import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { callsIn } from "../../cli/import-eso/go/calls-in.ts";
import { CONVERTED_FUNCTIONS } from "../../cli/import-eso/go/functions.ts";
import { parseTemplate } from "../../cli/import-eso/go/parse-template.ts";
import { pathOf, templateRule } from "../../cli/import-eso/go-template.ts";
import { printConversions } from "../../cli/import-eso/print-import.ts";
import { type Construct, readConstructs, readTemplateConstructs } from "../../scripts/eso-constructs.ts";
import { checkTemplate, renderTemplate } from "../../shared/bindings/expressions/liquid.ts";
import { isRelayKey } from "../../shared/bindings/relay-identity.ts";
import { makeCertificates, makeSshKey } from "../harness/certificates.ts";
import { AWS_STORE_FIELDS, EXTERNAL_SECRET_FIELDS } from "./eso-fields.ts";
import { convert, externalSecret, OPTIONS, store } from "./manifests.ts";
import { dataOf, renderConverted } from "./render-converted.ts";
import { simulateEso } from "./simulate-eso.ts";

const { sources: listed, constructs } = readConstructs();
const { pair } = makeCertificates();
const sources: typeof listed = {
  ...listed,
  "prod/tls.crt": pair.certificatePem,
  "prod/tls.key": pair.keyPem,
  "prod/ssh": makeSshKey(),
};
const templates = readTemplateConstructs();
const converted = constructs.filter((row) => row.refused === undefined);
const refused = constructs.filter((row) => row.refused !== undefined);

describe("the rows", () => {
  const covered = new Set(constructs.flatMap(({ fields = [] }) => fields));

  it.each([
    ...EXTERNAL_SECRET_FIELDS.map(({ path }) => path),
    ...AWS_STORE_FIELDS.map(({ path }) => `store ${path}`),
  ])("have the field %s", (path) => expect(covered).toContain(path));

  it.each(constructs.filter(({ fields = [] }) => fields.length > 0))(
    "set their fields: $construct",
    ({ fields = [], ...row }) => {
      const [stored, secret] = manifestsOf(row);
      const missing = fields.filter((field) => {
        const [object, path] = field.startsWith("store ") ? [stored, field.slice(6)] : [secret, field];
        return !isSet(object?.spec, path.replaceAll("[]", ".0").split("."));
      });
      expect(missing).toEqual([]);
    },
  );
});

describe("is converted exactly:", () => {
  const notesOf = (row: Partial<Construct>) => convertRow(row).converted.flatMap(({ notes }) => notes);
  const usual = notesOf({});

  it.each(converted)("$construct", async (row) => {
    const result = convertRow(row);
    const [entry] = result.converted.map(({ entry }) => entry);

    expect(result.notConverted).toEqual([]);
    expect(entry).toMatchObject(parse(`{ ${row.becomes ?? ""} }`));
    if (row.becomes === undefined) expect(entry).toEqual(convertRow({}).converted[0]?.entry);
    const { notes = [], without = [] } = row;
    expect([...notesOf(row)].sort()).toEqual(
      [...usual.filter((note) => !without.includes(note)), ...notes].sort(),
    );
  });

  it.each(converted)("to the operator's Secret: $construct", async (row) => {
    const [, secret, other] = manifestsOf(row);
    const { spec, metadata } = row.cluster === undefined ? secret : asExternalSecret(other);
    const read: Parameters<typeof simulateEso>[1] = ({ key, version = "" }, { sourceRef }) => {
      const { name } = (sourceRef as { storeRef: object } | undefined)?.storeRef ?? spec.secretStoreRef;
      return sourceText((PREFIXES[name] ?? row.aws?.prefix ?? "") + key, version.replace("uuid/", ""));
    };
    const operators = simulateEso({ spec, ...metadata }, read, row.found);
    const relays = await renderConverted(convertRow(row).converted, ({ id, stage, versionId }) =>
      sourceText(id.replace(/^arn:.*:secret:/, ""), versionId ?? stage ?? ""),
    );

    for (const relay of relays) {
      expect({
        data: dataOf(relay),
        type: relay.type,
        labels: ofUsers(relay.labels),
        annotations: ofUsers(relay.annotations),
        isImmutable: relay.isImmutable ?? false,
      }).toEqual({ ...operators, annotations: ofUsers(operators.annotations) });
    }
  });
});

describe("is refused with a way forward:", () => {
  it.each(refused)("$construct", (row) => {
    const result = convertRow(row);
    const shown = printConversions({ paintMessage: (_, text) => text }, result, []);

    expect(result.converted).toEqual([]);
    expect(shown).toMatch(
      new RegExp(`^  ${RegExp.escape(row.at)}: ${row.refused}: .*${RegExp.escape(row.forward)}`, "m"),
    );
  });
});

describe("a template", () => {
  const rows = templates.rows.filter((row) => row.forward === undefined);
  const liquidOf = (template: string): string => {
    const rule = templateRule(template);
    if (rule.kind === "refused") throw new Error(rule.reason);
    return rule.write((variable) => pathOf(variable));
  };

  it.each(CONVERTED_FUNCTIONS)("function %s has a row that calls it", (name) => {
    const cases = rows.filter(({ functions }) => functions.includes(name)).flatMap((row) => row.cases);

    expect(
      cases.filter(([template]) => callsIn(parseTemplate(template)).some((call) => call.name === name)),
    ).not.toEqual([]);
  });

  it.each(rows)("becomes filters and tags of the relay: $construct", ({ becomes, cases, functions }) => {
    const liquid = cases.map(([template]) => liquidOf(template)).join("\n");

    expect(becomes.filter((part) => !liquid.includes(part))).toEqual([]);
    expect(functions.filter((name) => !CONVERTED_FUNCTIONS.includes(name))).toEqual([]);
  });

  it.each(rows.flatMap(({ cases }) => cases))("%s", (template, output) => {
    const liquid = liquidOf(template);

    expect(checkTemplate(liquid)).toBeUndefined();
    expect(renderTemplate(liquid, templates.values as never)).toEqual({ kind: "made", text: output });
  });

  it.each(templates.rows.filter((row) => row.forward !== undefined))(
    "is refused with a way forward: $construct",
    ({ template, forward }) => {
      expect(templateRule(template)).toMatchObject({
        kind: "refused",
        reason: expect.stringContaining(forward),
      });
    },
  );
});

/** A second store, for the rows with several. */
const TEAM = { ...store({ prefix: "team/" }), metadata: { name: "team" } };
const PREFIXES: Readonly<Record<string, string>> = { team: "team/" };

// biome-ignore lint/suspicious/noExplicitAny: manifests have any shape
function manifestsOf(row: Partial<Construct>): any[] {
  const plain = { data: [{ secretKey: "file", remoteRef: { key: "prod/file" } }] };
  const secret = {
    ...externalSecret({ ...plain, ...row.spec }, row.metadata),
    ...(row.apiVersion && { apiVersion: row.apiVersion }),
  };
  if (row.cluster === undefined) return [store(row.aws, row.store), secret];
  const { spec } = externalSecret(plain) as { spec: object };
  const cluster = {
    apiVersion: "external-secrets.io/v1",
    kind: "ClusterExternalSecret",
    metadata: { name: "app" },
    spec: { externalSecretSpec: spec, ...row.cluster },
    ...(row.status && { status: row.status }),
  };
  return [store(row.aws, row.store), secret, cluster];
}

function convertRow(row: Partial<Construct>) {
  const [stored, secret, cluster = secret] = manifestsOf(row);
  const location = row.account === null ? { region: "eu-west-1" } : OPTIONS.location;
  const found = row.found?.map((name) => ({ name, arn: `${ARN}${name}-AbCdEf`, hasValue: true }));
  return convert([stored, TEAM, cluster], { location, ...(found && { found: () => found }) });
}

const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:";

// biome-ignore lint/suspicious/noExplicitAny: manifests have any shape
const asExternalSecret = ({ spec }: any): any => ({
  spec: spec.externalSecretSpec,
  metadata: spec.externalSecretMetadata,
});

function sourceText(name: string, version: string): string {
  const value = sources[version === "" ? name : `${name} ${version}`];
  if (value === undefined) throw new Error(`The rows have no value of ${name} ${version}`);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Without the metadata of the relay, and the annotations of tools, which the note TOOL_NOTES_DROPPED is about. */
const ofUsers = (metadata: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(metadata).filter(([key]) => !isRelayKey(key) && key !== "force-sync"));

function isSet(object: unknown, [step, ...steps]: readonly string[]): boolean {
  if (step === undefined) return true;
  const at = (object ?? {}) as Record<string, unknown>;
  return Object.hasOwn(at, step) && isSet(at[step], steps);
}
