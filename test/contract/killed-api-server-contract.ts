import { once } from "node:events";
import { request as httpsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Backend } from "../harness/backend.ts";
import { MARK } from "../harness/canary.ts";
import { labelUpdated, startRelay, type TestRelay } from "../harness/relay.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const NAMES = Array.from({ length: 12 }, (_, index) => `db-${index}`);

const passwordOf = (round: number): string => JSON.stringify({ password: `${MARK}-${round}` });

/** The API server's process dies in the middle of the relay's work, and another one takes its place. */
export function describeKilledApiServerContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const staged = useScene(used);

  const bindAll = (sourceName: string) => ({
    bindings: [
      { source: sourceName, targets: NAMES.map((name) => ({ namespace: staged.scene.namespace, name })) },
    ],
  });

  it("delivers a rotation after the API server was killed and restarted", async () => {
    const { scene } = staged;
    const { kubernetes } = used.backend;
    await scene.grant(NAMES);
    let source = await scene.createSource("killed/db", passwordOf(0));
    const relay = await startRelay(used.backend, bindAll(source.name));
    await relay.invoke({ secretId: source.name });
    const told: string[] = [];

    for (let round = 1; round <= 3; round += 1) {
      source = await scene.rotate(source, passwordOf(round));
      const event = labelUpdated(used.backend, source);
      const invocation = asLambdaRepeats(relay, event);
      await sleep(round * 7); // somewhere between its first read and its last apply
      await kubernetes.kill();
      told.push(await codeOfRefused(kubernetes.endpoint));
      await kubernetes.startAgain();
      await invocation;

      for (const name of NAMES) expect(await scene.readData(name)).toEqual({ password: `${MARK}-${round}` });
    }
    expect(told).toEqual(["ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED"]);
  });

  it("reports the cluster as unavailable while it is down, and works as soon as it is back", async () => {
    const { scene } = staged;
    const { kubernetes } = used.backend;
    await scene.grant(NAMES);
    let source = await scene.createSource("killed/down", passwordOf(0));
    const relay = await startRelay(used.backend, bindAll(source.name));
    await relay.invoke({ secretId: source.name });
    source = await scene.rotate(source, passwordOf(1));

    await kubernetes.kill();
    const failure = await relay.invoke({ secretId: source.name }).catch((error: unknown) => error);
    await kubernetes.startAgain();
    const report = await relay.invoke({ secretId: source.name });

    expect(failure).toMatchObject({ code: "SYNC_INCOMPLETE", retryable: true });
    expect(String(failure)).toContain("CLUSTER_UNAVAILABLE");
    expect(report.targets.map(({ outcome }) => outcome)).toEqual(NAMES.map(() => "written"));
  });

  it("keeps the data in etcd, and drops watches", async () => {
    const { scene } = staged;
    const { kubernetes } = used.backend;
    await scene.createSecret("kept", { a: "1" });
    const before = await scene.readSecret("kept");
    await scene.patchSecret("kept", { data: { a: "Mg==" } });
    const after = await scene.readSecret("kept");

    const broken = brokenWatch(kubernetes, scene.namespace, after.metadata.resourceVersion);
    await broken.isOpen;
    await kubernetes.kill();
    const code = await broken.code;
    await kubernetes.startAgain();

    expect(code).toBe("ECONNRESET");
    expect(await scene.readSecret("kept")).toEqual(after);
    const path = `/api/v1/namespaces/${scene.namespace}/secrets?watch=true&timeoutSeconds=1&resourceVersion=${before.metadata.resourceVersion}`;
    const { body } = await scene.admin(path);
    const [first = ""] = (typeof body === "string" ? body : JSON.stringify(body)).split("\n");
    expect(JSON.parse(first)).toMatchObject({ type: "ERROR", object: { code: 410, reason: "Expired" } });
  });
}

/** Twice more after a while, as Lambda does; here without the minutes in between. */
async function asLambdaRepeats(relay: TestRelay, event: object): Promise<void> {
  const giveUpAt = Date.now() + 60_000;
  for (;;) {
    const failure = await relay.invoke(event).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    if (Date.now() > giveUpAt) throw failure;
    await sleep(100);
  }
}

async function codeOfRefused(endpoint: string): Promise<string> {
  const request = httpsRequest(`${endpoint}/readyz`, { agent: false });
  request.end();
  const [error] = (await once(request, "error")) as [NodeJS.ErrnoException];
  return error.code ?? error.message;
}

/** A watch, and the code of the error by which it ends. */
function brokenWatch(
  { endpoint, adminToken, certificateAuthorityData }: Backend["kubernetes"],
  namespace: string,
  resourceVersion: string,
): { readonly isOpen: Promise<void>; readonly code: Promise<string> } {
  const ca = Buffer.from(certificateAuthorityData, "base64").toString();
  const path = `/api/v1/namespaces/${namespace}/secrets?watch=true&resourceVersion=${resourceVersion}`;
  const headers = { authorization: `Bearer ${adminToken}` };
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  const request = httpsRequest(`${endpoint}${path}`, { ca, headers, agent: false }, (response) => {
    opened.resolve();
    response.on("error", (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? error.message));
    response.resume();
  });
  request.on("error", (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? error.message));
  request.end();
  return { isOpen: opened.promise, code: ended.promise };
}
