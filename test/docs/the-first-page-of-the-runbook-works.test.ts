import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { EsoStandIn } from "../../sandbox/external-secrets/eso-stand-in.ts";
import { externalSecretsResources } from "../../sandbox/kubernetes/resources.ts";
import { findTraces, MARK } from "../harness/canary.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { esoScene } from "../harness/eso-scene.ts";
import { findKubectl } from "../harness/find-kubectl.ts";
import { pinnedCluster, startRelay, type TestRelay } from "../harness/relay.ts";
import { openScene, type Scene, type TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend } from "../harness/use-scene.ts";
import { blocksOf, pageOf, ROOT } from "./markdown.ts";

// A shell runs each command of the page unchanged, through npx and the real executable, in a folder with
// a kubeconfig and published bindings, against a Secret that missed a rotation. About two seconds a command.

const HEADING = "## Production has a dead password: do this";
const [, fromHeading = ""] = pageOf("docs/runbook.md").text.split(HEADING);
const [firstPage = ""] = fromHeading.split(/^## /m);
const BREAK_GLASS = "**Break glass";
const [usual = "", breakGlass = ""] = firstPage.split(BREAK_GLASS);
const commands = shellBlocks(usual)
  .flatMap((block) => block.trim().split("\n"))
  .filter((line) => line.startsWith("npx "));
const [writeByHand = "", handBack = ""] = shellBlocks(breakGlass);
const kubectl = findKubectl();

function shellBlocks(text: string): string[] {
  return blocksOf({ path: "docs/runbook.md", text }, "sh");
}

/** The exit code and output of each command for the Secret shop/db of cluster main. */
const EXPECTED: Readonly<Record<string, { exitCode: number; says: RegExp; writes: boolean }>> = {
  "npx secret-relay status": {
    exitCode: 1,
    says: /^main\/shop\/db +STALE [\s\S]*secret-relay sync shop\/db/m,
    writes: false,
  },
  "npx secret-relay status shop/db": { exitCode: 1, says: /^main\/shop\/db +STALE /m, writes: false },
  "npx secret-relay sync shop/db": {
    exitCode: 0,
    says: /^main\/shop\/db +written .* current$/m,
    writes: true,
  },
  "npx secret-relay sync prod/db --via-lambda": {
    exitCode: 0,
    says: /^main\/shop\/db +written .* current$/m,
    writes: true,
  },
  "npx secret-relay trigger prod/db": { exitCode: 0, says: /shop\/orders .*refreshed/m, writes: false },
  "npx secret-relay sweep --plan": { exitCode: 1, says: /^main\/shop\/db +STALE +update /m, writes: false },
};

const used = useBackend(() => startSandboxBackend({ resources: externalSecretsResources() }));
const DEAD = '{"password":"canary-7f3a9c1e-dead"}';
const RIGHT = '{"password":"canary-7f3a9c1e-right"}';

let desk: Desk;
let scene: Scene;
let relay: TestRelay;
let source: TestSource;
let eso: EsoStandIn;

beforeAll(async () => {
  const { aws } = used.backend.sandbox;
  scene = await openScene(used.backend, "shop");
  desk = openDesk(used.backend);
  source = await scene.createSource("prod/db", DEAD);
  const bindings = [{ source: "prod/db", targets: [{ namespace: "shop", name: "db" }] }];
  const externalSecrets = { namespaces: ["shop"] };
  desk.writeBindings(bindings, { main: { ...pinnedCluster(used.backend), externalSecrets } });
  await scene.grant(["db"]);
  relay = await startRelay(used.backend, { bindings });
  aws.addFunction("secret-relay-rotation", (input) => relay.invoke(input));
  aws.addBucket("bindings", { versioned: true });
  aws.addStack("secret-relay", {
    RotationFunctionName: "secret-relay-rotation",
    BindingsBucketName: "bindings",
  });
  expect(await desk.run("publish", "--yes", "--ignore-permissions")).toMatchObject({ exitCode: 0 });
  const kept = esoScene(used.backend, scene, "v1");
  await kept.createStore("aws");
  await kept.createExternalSecret("orders", {
    secretStoreRef: { name: "aws" },
    data: [{ secretKey: "password", remoteRef: { key: "prod/db", property: "password" } }],
  });
  eso = kept.startEso();
  mkdirSync(join(desk.folder, "node_modules", ".bin"), { recursive: true });
  symlinkSync(
    join(ROOT, "bin", "secret-relay.mjs"),
    join(desk.folder, "node_modules", ".bin", "secret-relay"),
  );
});
afterAll(async () => {
  await eso.stop();
  desk.close();
  scene.close();
});

beforeEach(async () => {
  source = await scene.rotate(source, DEAD);
  await relay.invoke({ secretId: "prod/db" });
  source = await scene.rotate(source, RIGHT); // without an event
});

it("the page has commands, and this test covers each of them", () => {
  expect(commands.length).toBeGreaterThan(3);
  expect(Object.keys(EXPECTED).sort()).toEqual([...new Set(commands)].sort());
});

describe.each(commands)("%s", (command) => {
  it("runs as it is written, with the result on the page", async () => {
    const { exitCode, says, writes } = EXPECTED[command] ?? { exitCode: 0, says: /^$/, writes: false };

    const told = await typeInShell(command);

    const stderr = expect.stringMatching(/^(Account .+\n(Cluster|Function) .+\n)?$/);
    expect(told).toMatchObject({ exitCode, stderr, stdout: expect.stringMatching(says) });
    expect(findTraces(told.stdout + told.stderr)).toEqual([]);
    expect(await scene.readData("db")).toEqual(JSON.parse(writes ? RIGHT : DEAD));
  });
});

it("the steps of the page in sequence leave nothing to do", async () => {
  await typeInShell("npx secret-relay sync shop/db");

  const status = await typeInShell("npx secret-relay status shop/db");
  const sweep = await typeInShell("npx secret-relay sweep --plan");

  expect(status).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^main\/shop\/db +in order /m) });
  expect(sweep).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("0 finding(s)") });
});

// Without a recent kubectl there is nothing to type the commands into.
it.skipIf(kubectl === undefined)(
  "a value written by hand stays until the Secret is handed back",
  async () => {
    const name = "db";
    const typed = `${MARK}-"typed" by hand\\`;

    const written = await typeInShell(writeByHand, { input: `${typed}\n` });
    await relay.invoke({ secretId: "prod/db" });
    const held = await scene.readData(name);
    const back = await typeInShell(handBack);

    expect(written).toMatchObject({ exitCode: 0 });
    expect(held).toEqual({ password: typed });
    expect(back).toMatchObject({ exitCode: 0 });
    expect(await scene.readData(name)).toEqual(JSON.parse(RIGHT));
    expect(findTraces(written.stdout + written.stderr + back.stdout + back.stderr)).toEqual([]);
  },
);

type Typed = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

function typeInShell(command: string, { input = "" } = {}): Promise<Typed> {
  const env = {
    ...process.env, // useBackend has put the sandbox's AWS_ENDPOINT_URL_… and credentials there
    HOME: desk.folder,
    PATH: [...(kubectl?.includes("/") ? [dirname(kubectl)] : []), process.env.PATH].join(delimiter),
    KUBECONFIG: join(desk.folder, "kubeconfig"),
    npm_config_update_notifier: "false",
    FORCE_COLOR: undefined,
  };
  return new Promise((resolve) => {
    const shell = execFile("bash", ["-c", command], { cwd: desk.folder, env }, (error, stdout, stderr) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    shell.stdin?.end(input);
  });
}
