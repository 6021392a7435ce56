import { spawn } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Random } from "../chaos/random.ts";
import { blocksOf, pageOf, ROOT } from "../docs/markdown.ts";
import { awsClients } from "../harness/aws-clients.ts";
import type { Backend } from "../harness/backend.ts";
import { findTraces, MARK } from "../harness/canary.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { type EsoVersion, esoScene } from "../harness/eso-scene.ts";
import { findKubectlOrReport } from "../harness/find-kubectl.ts";
import { playOperator } from "../harness/operator.ts";
import { type HistoryRecorder, recordHistory } from "../harness/record-history.ts";
import { decodeData, openScene, type Scene, type TestSource } from "../harness/scene.ts";
import { useBackend } from "../harness/use-scene.ts";

/**
 * The takeover of docs/migrate-from-eso.md, by the page's own commands in a shell: of the Secret `db` alone, and then of
 * every other Secret of the namespace. Each step is killed after a random share of the Secrets and started again, each
 * time after a rotation. A watch records every state of every Secret, while the operator reconciles without a pause.
 */
export function describeDocumentedTakeover(
  version: EsoVersion,
  start: () => Promise<Backend>,
  { secrets: count, seed }: { readonly secrets: number; readonly seed: number },
): void {
  const kubectl = findKubectlOrReport();
  if (kubectl === undefined) return;

  const used = useBackend(start);
  const random = new Random(seed, "takeover");
  let scene: Scene;
  let desk: Desk;
  let sources: TestSource[];
  let rotations = 0;

  const namesOf = (index: number) => ({
    external: index === 0 ? "db" : `app-${index}`,
    secret: index % 7 === 3 ? `credentials-${index}` : index === 0 ? "db" : `app-${index}`,
  });
  const secretNames = Array.from({ length: count }, (_, index) => namesOf(index).secret).sort();
  const valueAfter = (rotation: number) => ({ user: `app-${rotation}`, password: `${MARK}-${rotation}` });
  const rotate = async () => {
    rotations += 1;
    const value = JSON.stringify(valueAfter(rotations));
    sources = await Promise.all(sources.map((source) => scene.rotate(source, value)));
  };

  beforeAll(async () => {
    const { backend } = used;
    scene = await openScene(backend, "shop");
    desk = openDesk(backend);
    const bin = join(desk.folder, "bin");
    mkdirSync(bin);
    mkdirSync(join(desk.folder, "node_modules", ".bin"), { recursive: true });
    symlinkSync(kubectl, join(bin, "kubectl"));
    symlinkSync(
      join(ROOT, "bin", "secret-relay.mjs"),
      join(desk.folder, "node_modules", ".bin", "secret-relay"),
    );
    const value = JSON.stringify(valueAfter(0));
    sources = await Promise.all(
      ["a", "b", "c"].map((name) => scene.createSource(`prod/takeover-${name}`, value)),
    );
    const eso = esoScene(backend, scene, version);
    await eso.createStore("aws");
    for (let index = 0; index < count; index += 1) {
      const { external, secret } = namesOf(index);
      const key = sources[index % sources.length]?.name;
      const spec = {
        secretStoreRef: { name: "aws" },
        data: ["user", "password"].map((property) => ({ secretKey: property, remoteRef: { key, property } })),
        target: { name: secret, creationPolicy: index % 10 === 9 ? "Orphan" : "Owner" },
      };
      const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}", owner: "payments" };
      await eso.createExternalSecret(external, spec, { labels: { team: "shop" }, annotations });
    }
  });
  afterAll(() => {
    desk.close();
    scene.close();
  });

  /** Types the commands into a shell; `until` kills it in the middle of them. */
  const type = async (commands: string, until?: () => Promise<boolean>): Promise<number | "killed"> => {
    const env = {
      ...process.env, // useBackend has put the endpoints and credentials of AWS there
      HOME: desk.folder,
      KUBECONFIG: join(desk.folder, "kubeconfig"),
      KUBECACHEDIR: join(desk.folder, "cache"),
      PATH: [join(desk.folder, "bin"), process.env.PATH].join(delimiter),
      BINDINGS_FILE: "bindings.yaml",
      npm_config_update_notifier: "false",
    };
    const shell = spawn("sh", ["-ec", commands], { cwd: desk.folder, env, detached: true });
    let output = "";
    for (const stream of [shell.stdout, shell.stderr]) stream.on("data", (text) => (output += text));
    const ended = new Promise<number | "killed">((resolve) =>
      shell.once("close", (code) => resolve(code ?? "killed")),
    );
    let isRunning = true;
    const done = ended.finally(() => {
      isRunning = false;
    });
    while (until !== undefined && isRunning) {
      if (await until()) {
        if (isRunning && shell.pid !== undefined) killGroup(shell.pid);
        break;
      }
      await sleep(20);
    }
    const result = await done;
    expect(findTraces(output)).toEqual([]);
    if (result !== "killed" && result !== 0) throw new Error(`${commands}\n${output}`);
    return result;
  };

  const check = async (): Promise<ReadonlyMap<string, { step: string; is: string }>> => {
    const { json } = await desk.runJson("import-eso", "--check", "--bindings", "bindings.yaml");
    const { checked } = json as { checked: { target: { name: string }; step: string; is: string }[] };
    return new Map(checked.map(({ target, step, is }) => [target.name, { step, is }]));
  };
  const untilStep = async (names: readonly string[], step: string): Promise<void> => {
    for (let tries = 0; ; tries += 1) {
      const steps = await check();
      const others = names.filter((name) => steps.get(name)?.step !== step);
      if (others.length === 0) return;
      if (tries === 20)
        throw new Error(`not ${step}: ${others.map((name) => `${name} ${steps.get(name)?.step}`)}`);
      await sleep(500);
    }
  };
  // biome-ignore lint/suspicious/noExplicitAny: a test reaches into whatever the server answers
  const listOf = async (resource: "secrets" | "externalsecrets"): Promise<any[]> => {
    const group = resource === "secrets" ? "/api/v1" : `/apis/external-secrets.io/${version}`;
    return (await scene.admin(`${group}/namespaces/shop/${resource}`)).body.items;
  };

  it(`takes over ${count} Secrets without a gap, interrupted at every step (seed ${seed})`, async () => {
    const { secrets, destroy } = awsClients(used.backend.aws);
    const operator = playOperator(scene, version).start(async ({ spec }) => {
      const SecretId = spec.data[0].remoteRef.key;
      return JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? "");
    });
    for (let created = 0; created < count; created = (await listOf("secrets")).length) await sleep(50);
    const first = new Map((await listOf("secrets")).map(({ metadata }) => [metadata.name, metadata.uid]));
    const history = await recordHistory(used.backend.kubernetes, "shop");
    const page = takeoverSections();
    await desk.run("import-eso", "--live", "--namespace", "shop", "--out", "bindings.yaml");
    expect(new Set([...(await check()).values()].map(({ is }) => is))).toEqual(new Set(["same"]));

    // One Secret, and each step twice.
    const [release, take, remove, cleanUp] = page.steps;
    for (const [{ one }, step] of [
      [release, "released"],
      [take, "taken"],
      [remove, "leftovers"],
      [cleanUp, "finished"],
    ] as const) {
      await type(one);
      await untilStep(["db"], step);
      await type(one);
    }

    // The others: each step is interrupted, and started again after a rotation.
    await type(page.makeNames);
    const others = secretNames.filter((name) => name !== "db");
    const killed: string[] = [];
    const interrupt = async (commands: string, hasPassed: () => Promise<number>) => {
      const share = 1 + random.below(Math.floor(others.length / 2));
      const result = await type(commands, async () => (await hasPassed()) >= share);
      if (result === "killed") killed.push(commands);
      await rotate();
      await type(commands);
    };
    const hasLabel = (label: string) => async () =>
      (await listOf("secrets")).filter(({ metadata }) => metadata.labels[label] !== undefined).length;

    const orphansAtStart = (await listOf("externalsecrets")).filter(isOrphan).length;
    await interrupt(
      release.all,
      async () => (await listOf("externalsecrets")).filter(isOrphan).length - orphansAtStart,
    );
    await untilStep(others, "released");
    await interrupt(take.all, async () => (await hasLabel("secret-relay/managed")()) - 1);
    await untilStep(others, "taken");
    await interrupt(
      remove.all,
      async () => count - (await listOf("externalsecrets")).filter(isKept).length - 1,
    );
    await untilStep(others, "leftovers");
    await interrupt(cleanUp.all, async () => count - 1 - (await hasLabel(MANAGED)()));
    await type(take.all); // the operator no longer writes the rotation of the last step
    await untilStep(secretNames, "finished");
    await type(cleanUp.all); // again, with nothing left
    await operator.stop();
    destroy();

    // Of few Secrets one command does all before the kill arrives; of many, each step was interrupted.
    expect(killed.length).toBeGreaterThanOrEqual(count < MANY ? 1 : 4);
    expectNoGap(await history.stop(), first);
    const now = await listOf("secrets");
    expect(now.map(({ metadata }) => metadata.uid).sort()).toEqual([...first.values()].sort());
    for (const { data } of now) expect(decodeData(data)).toEqual(valueAfter(rotations));

    // The day after.
    const file = desk.read("bindings.yaml");
    expect(file).toContain("adopt: true");
    writeFileSync(join(desk.folder, "bindings.yaml"), file.replace("adopt: true", "adopt: false"));
    for (const { metadata } of now) {
      expect(JSON.stringify([metadata.labels, metadata.annotations])).not.toMatch(
        /external-secrets|last-applied/,
      );
      expect(metadata.ownerReferences).toBeUndefined();
      const owners = metadata.managedFields.filter(
        (entry: { fieldsV1: object }) => "f:data" in entry.fieldsV1,
      );
      expect(owners).toMatchObject([{ manager: "secret-relay", operation: "Apply" }]);
    }
    expect(await desk.run("status")).toMatchObject({ exitCode: 0 });
    expect(await desk.run("plan")).toMatchObject({ exitCode: 0 });
  }, 900_000);

  /** No deletion, no other Secret, no other key; and of each Secret no older value after a newer one. */
  function expectNoGap(
    states: Awaited<ReturnType<HistoryRecorder["stop"]>>,
    uids: ReadonlyMap<string, string>,
  ) {
    const newest = new Map<string, number>();
    expect(states.length).toBeGreaterThan(count * 4);
    for (const { type, name, uid, data } of states) {
      const { user = "", ...more } = decodeData(data);
      const rotation = Number(user.replace("app-", ""));
      expect({ type, uid, user, ...more }).toEqual({
        type: "MODIFIED",
        uid: uids.get(name),
        ...valueAfter(rotation),
      });
      expect(rotation).toBeGreaterThanOrEqual(newest.get(name) ?? 0);
      newest.set(name, rotation);
    }
  }
}

/** The shell and the commands that it started; they may have ended just now. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

const MANY = 100;
const MANAGED = "reconcile.external-secrets.io/managed";

type ExternalSecret = {
  metadata: { deletionTimestamp?: string };
  spec: { target: { creationPolicy: string } };
};

const isOrphan = ({ spec }: ExternalSecret) => spec.target.creationPolicy === "Orphan";
const isKept = ({ metadata }: ExternalSecret) => metadata.deletionTimestamp === undefined;

type Step = { readonly one: string; readonly all: string };

/** The blocks of the page: of each step after the first, the commands for one Secret and for all. */
function takeoverSections(): { makeNames: string; steps: [Step, Step, Step, Step] } {
  const { path, text } = pageOf("docs/migrate-from-eso.md");
  const [, takeOver = ""] = text.split("## Take over\n");
  const [start = "", ...sections] = (takeOver.split(/^## /m)[0] ?? "").split(/^### /m);
  const blocks = (section: string) => blocksOf({ path, text: section }, "sh");
  const makeNames = blocks(start).find((block) => block.includes("> names"));
  const steps = sections
    .filter((section) => /^[2-5]\. /.test(section))
    .map((section) => {
      const [one, all, ...more] = blocks(section);
      if (one === undefined || all === undefined || more.length > 0)
        throw new Error(`Not two blocks: ${section}`);
      return { one, all };
    });
  const [release, take, remove, cleanUp] = steps;
  if (!makeNames || !release || !take || !remove || !cleanUp) throw new Error("The page has other steps");
  return { makeNames, steps: [release, take, remove, cleanUp] };
}
