import { randomUUID } from "node:crypto";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FINDINGS } from "../../shared/assess/catalogue.ts";
import schema from "../../shared/sweep/report.schema.json" with { type: "json" };
import type { SweepReport } from "../../shared/sweep/report.ts";
import { labelUpdated, startRelay, startSweeper } from "../harness/relay.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { becameOf, findingsIn, unknownIn } from "../harness/rows.ts";
import { encodeData, type Scene } from "../harness/scene.ts";
import { type SandboxBackend, startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const validate = new Ajv2020({ allErrors: true, strict: true }).compile(schema);

/** After JSON, which drops undefined fields. */
function problemsOf(report: unknown): readonly unknown[] {
  validate(JSON.parse(JSON.stringify(report)));
  return (validate.errors ?? []).map(({ instancePath, message, params }) => ({
    instancePath,
    message,
    params,
  }));
}

describe("the schema", () => {
  it("has exactly the codes of the findings", () => {
    expect(schema.$defs.findingCode.enum).toEqual(Object.keys(FINDINGS));
  });

  it("describes every field, and rejects unknown ones", () => {
    const parts = partsOf(schema);

    expect(parts.length).toBeGreaterThan(40);
    for (const { path, part } of parts) {
      expect(part, path).toMatchObject({ title: expect.any(String), description: expect.any(String) });
      if (part.type === "object") expect(part.additionalProperties, path).toBe(false);
    }
  });
});

describe("a report of a sweep", () => {
  let backend: SandboxBackend;
  let scene: Scene;

  const used = useBackend(startSandboxBackend);
  const at = useScene(used);
  beforeEach(async () => {
    ({ backend } = used);
    ({ scene } = at);
  });
  afterEach(() => {
    backend.sandbox.aws.faults.clear();
    backend.sandbox.kubernetes.faults.clear();
  });

  const NAMES = ["stale", "gone", "edited", "adopted", "taken", "text", "missing", "deletable"];

  const bindTo = (name: string, more: object = {}) => ({
    source: `${scene.namespace}/${name}`,
    targets: [{ namespace: scene.namespace, name }],
    ...more,
  });

  /** As if a sweep had found its source missing a day ago, after the last write. */
  const noteGone = async (name: string) => {
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
    const { goneSince, writtenAt } = RELAY_METADATA.annotations;
    await scene.patchSecret(name, {
      metadata: { annotations: { [writtenAt]: daysAgo(3), [goneSince]: daysAgo(2) } },
    });
  };

  /** One binding for each kind of drift, synced before it drifts. */
  const openDrifted = async () => {
    const bindings = NAMES.map((name) => {
      const rules = {
        adopted: { adopt: true },
        taken: { adopt: true },
        deletable: { deletionPolicy: "delete" },
      };
      return bindTo(name, rules[name as keyof typeof rules]);
    });
    await scene.grant(NAMES);
    await scene.grantDelete(["deletable"]);
    const relay = await startRelay(backend, { bindings });
    const sources = new Map<string, Awaited<ReturnType<Scene["createSource"]>>>();
    for (const { source } of bindings) {
      const made = await scene.createSource(source, '{"user":"app","password":"first"}');
      sources.set(source.slice(source.indexOf("/") + 1), made);
      await relay.invoke(labelUpdated(backend, made));
    }
    const sourceOf = (name: string) => {
      const found = sources.get(name);
      if (found === undefined) throw new RangeError(`No source ${name}`);
      return found;
    };
    await scene.rotate(sourceOf("stale"), '{"user":"app","password":"second"}');
    await scene.deleteSecret("gone");
    await scene.patchSecret("edited", { data: encodeData({ password: "x" }) }, "kubectl-edit");
    await scene.patchSecret("adopted", { data: { password: null } });
    await scene.applySecret("taken", { data: encodeData({ user: "x", password: "y" }) }, "gitops");
    await scene.rotate(sourceOf("text"), "no JSON");
    await scene.deleteSource(sourceOf("missing"), { isRestorable: true });
    await scene.deleteSource(sourceOf("deletable"));
    await noteGone("deletable");
    return { bindings };
  };

  const codesOf = (report: SweepReport) =>
    [...new Set(findingsIn(report).map(({ finding }) => finding))].sort();
  const becameIn = (report: SweepReport) => [...new Set(findingsIn(report).map(becameOf))].sort();

  const inOrderIn = ({ targets }: SweepReport) =>
    targets.filter(({ finding, action }) => finding === null && action === "none");

  it("by metadata follows it, as a plan and with repairs, refusals and deletions", async () => {
    const { bindings } = await openDrifted();
    const sweeper = await startSweeper(backend, { bindings });

    const planned = await sweeper.sweep({ sweep: "metadata", plan: true });
    const swept = await sweeper.sweep({ sweep: "metadata" });

    expect(becameIn(planned)).toEqual(["create", "delete", "refuse", "update"]);
    expect(becameIn(swept)).toEqual(["deleted", "refuse", "refused", "written"]);
    expect(codesOf(swept)).toEqual([
      "MISSING",
      "SOURCE_MISSING",
      "SOURCE_SCHEDULED_FOR_DELETION",
      "STALE",
      "TAKEN_OVER",
      "TAMPERED",
      "UNRENDERABLE",
    ]);
    expect(swept.orphansUnknown).toHaveLength(1); // the relay has no permission to list here
    expect(problemsOf(planned)).toEqual([]);
    expect(problemsOf(swept)).toEqual([]);
  });

  it("by values follows it", async () => {
    const { bindings } = await openDrifted();
    const repairing = await startSweeper(backend, { bindings });
    await repairing.sweep({ sweep: "metadata" });
    const { metadata } = await scene.readSecret("stale");
    await scene.patchSecret("stale", { data: encodeData({ password: "forged" }) });
    await scene.patchSecret("stale", { metadata: { managedFields: metadata.managedFields } });

    const sweeper = await startSweeper(backend, {
      bindings: [
        ...bindings.filter(({ source }) => !source.endsWith("/stale")),
        bindTo("stale", { adopt: true }),
      ],
    });
    const report = await sweeper.sweep({ sweep: "values" });

    expect(codesOf(report)).toContain("VALUE_DIFFERS");
    expect(report.targets.some(({ changes = [] }) => changes.length > 0)).toBe(true);
    expect(problemsOf(report)).toEqual([]);
  });

  it("with unknown and failed targets follows it", async () => {
    const { bindings } = await openDrifted();
    const { aws, kubernetes } = backend.sandbox;
    aws.faults.add({ kind: "accessDenied", match: { operation: "DescribeSecret", secret: /\/gone$/ } });
    kubernetes.faults.add({ kind: "server-error", match: ({ verb }) => verb === "patch" });
    const sweeper = await startSweeper(backend, { bindings });

    const report = await sweeper.sweep({ sweep: "metadata" });

    expect(unknownIn(report).map(({ code }) => code)).toEqual(["SOURCE_FORBIDDEN"]);
    expect(becameIn(report)).toContain("failed");
    expect(problemsOf(report)).toEqual([]);
  });

  it("with an inventory names every binding once", async () => {
    const { bindings } = await openDrifted();
    const sweeper = await startSweeper(backend, { bindings });
    const repaired = await sweeper.sweep({ sweep: "metadata" });

    const metadata = await sweeper.sweep({ sweep: "metadata", plan: true, inventory: true });
    const values = await sweeper.sweep({ sweep: "values", plan: true, inventory: true });

    expect(inOrderIn(repaired)).toEqual([]);
    for (const report of [metadata, values]) {
      expect(problemsOf(report)).toEqual([]);
      expect(report.targets.map(({ name }) => name).sort()).toEqual([...NAMES].sort());
      expect(inOrderIn(report).length).toBeGreaterThan(1);
      for (const entry of inOrderIn(report)) {
        expect(entry.versionId).toMatch(/./);
        expect(Date.parse(entry.writtenAt ?? "")).toBeGreaterThan(0);
      }
    }
    for (const { sourceChangedAt } of inOrderIn(metadata)) {
      expect(Date.parse(sourceChangedAt ?? "")).toBeGreaterThan(0);
    }
  });

  it("with too many deletions follows it", async () => {
    const { bindings } = await openDrifted();
    const sweeper = await startSweeper(backend, { bindings, env: { DELETIONS_SHARE_MAX_PERCENT: "0" } });

    const report = await sweeper.sweep({ sweep: "metadata" });

    expect(becameIn(report)).toContain("held-back");
    expect(problemsOf(report)).toEqual([]);
  });

  it("that was split into shards follows it", async () => {
    const bindings = Array.from({ length: 60 }, (_, at) => bindTo(`of-many-${at}`));
    const sweeper = await startSweeper(backend, {
      bindings,
      env: { SHARD_BINDINGS_MAX: "50" },
      override: () => ({ sendShards: async (shards) => shards.length }),
    });

    const report = await sweeper.sweep({ sweep: "values" });

    expect(report.shardsQueued).toBe(2);
    expect(problemsOf(report)).toEqual([]);
  });

  it("is rejected with an unknown field", async () => {
    const { bindings } = await openDrifted();
    const report = await (await startSweeper(backend, { bindings })).sweep({ sweep: "metadata" });
    const [row] = report.targets;

    expect(problemsOf(report)).toEqual([]);
    expect(problemsOf({ ...report, value: "hunter2" })).not.toEqual([]);
    expect(problemsOf({ ...report, targets: [{ ...row, finding: randomUUID() }] })).not.toEqual([]);
    expect(problemsOf({ ...report, targets: [{ ...row, action: "repaired" }] })).not.toEqual([]);
    expect(problemsOf({ ...report, targets: [{ ...row, value: "hunter2" }] })).not.toEqual([]);
  });
});

type Part = Record<string, unknown>;

/** The schema's objects and properties with their paths; a reference is described at its definition. */
function partsOf(root: object): { path: string; part: Part }[] {
  const parts: { path: string; part: Part }[] = [];
  const visit = (value: unknown, path: string): void => {
    const part = value as Part;
    if ("$ref" in part) return;
    parts.push({ path, part });
    for (const [name, property] of Object.entries((part.properties ?? {}) as Part)) {
      visit(property, `${path}.${name}`);
    }
    for (const [at, choice] of ((part.oneOf ?? []) as unknown[]).entries()) visit(choice, `${path}.${at}`);
  };
  visit(root, "$");
  for (const [name, part] of Object.entries(schema.$defs)) visit(part, name);
  return parts;
}
