import { describe, expect, it } from "vitest";
import { labelUpdated, startRelay } from "../harness/relay.ts";
import { useFaultScene } from "./fault-scene.ts";

const struck = useFaultScene();

/** A Secret with the first password, and a source with the second. */
async function prepare() {
  const { backend, scene } = struck;
  const first = await struck.createSource("first");
  // Written minutes ago, so that the update needs no second read of the source.
  const past = await startRelay(backend, {
    bindings: [struck.bindTo(first)],
    now: () => Date.now() - 3 * 60_000,
  });
  await past.invoke({ secretId: first.name });
  const second = await struck.rotate(first, "second");
  const relay = await startRelay(backend, { bindings: [struck.bindTo(first)] });
  struck.sandbox.aws.counters.reset();
  struck.sandbox.kubernetes.requests.reset();
  const statesOf = (name: string) => struck.sandbox.kubernetes.history(scene.namespace, name).length;
  return { relay, event: labelUpdated(backend, second), statesOf };
}

const isSecret = (verb: string) => (request: { verb: string; resource: string }) =>
  request.resource === "secrets" && request.verb === verb;

describe("a cluster that", () => {
  it("throttles is called again after its Retry-After, and written", async () => {
    const { relay, event } = await prepare();
    const askedAt: number[] = [];
    struck.sandbox.kubernetes.faults.before(() => void askedAt.push(struck.now()));
    const fault = { kind: "throttle", retryAfterSeconds: 1, times: 1, match: isSecret("get") } as const;
    struck.sandbox.kubernetes.faults.add(fault);

    const { targets } = await relay.invoke(event);

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect((askedAt[1] ?? 0) - (askedAt[0] ?? 0)).toBeGreaterThanOrEqual(990);
    expect(await struck.scene.readData("db")).toEqual({ password: "second" });
  });

  it.each(["get", "patch"])("answers 500, 502 and 503 to a %s and then recovers is written", async (verb) => {
    const { relay, event } = await prepare();
    for (const status of [500, 502, 503] as const) {
      struck.sandbox.kubernetes.faults.add({
        kind: "server-error",
        status,
        times: 1,
        match: isSecret(verb),
      });
    }

    const { targets } = await relay.invoke(event);

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(await struck.scene.readData("db")).toEqual({ password: "second" });
  });

  it("closes the connection before a write is written on the second attempt", async () => {
    const { relay, event } = await prepare();
    struck.sandbox.kubernetes.faults.add({
      kind: "reset",
      when: "before",
      times: 1,
      match: isSecret("patch"),
    });

    const { targets } = await relay.invoke(event);

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(await struck.scene.readData("db")).toEqual({ password: "second" });
  });

  it("closes the connection after an update is written once, and the second attempt changes nothing", async () => {
    const { relay, event, statesOf } = await prepare();
    const before = statesOf("db");
    struck.sandbox.kubernetes.faults.add({
      kind: "reset",
      when: "after",
      times: 1,
      match: isSecret("patch"),
    });

    const { targets } = await relay.invoke(event);

    expect(targets).toMatchObject([{ outcome: "unchanged" }]);
    expect(statesOf("db")).toBe(before + 1);
    expect(await struck.scene.readData("db")).toEqual({ password: "second" });
  });

  it("closes the connection after a create is written once, and the second attempt changes nothing", async () => {
    const { backend, scene, sandbox } = struck;
    const source = await struck.createSource();
    const relay = await startRelay(backend, { bindings: [struck.bindTo(source)] });
    sandbox.kubernetes.faults.add({ kind: "reset", when: "after", times: 1, match: isSecret("patch") });

    const { targets } = await relay.invoke({ secretId: source.name });

    expect(targets).toMatchObject([{ outcome: "unchanged" }]);
    expect(sandbox.kubernetes.history(scene.namespace, "db")).toHaveLength(1);
    expect(await scene.readData("db")).toEqual({ password: "first" });
  });

  it("responds in small pieces is written", async () => {
    const { relay, event } = await prepare();
    struck.sandbox.kubernetes.faults.add({ kind: "slow-body", pieceMs: 20, match: isSecret("get") });

    const { targets } = await relay.invoke(event);

    expect(targets).toMatchObject([{ outcome: "written" }]);
  });

  it("returns a proxy's page once is written on the second attempt", async () => {
    const { relay, event } = await prepare();
    struck.sandbox.kubernetes.faults.add({ kind: "wrong-content", times: 1, match: isSecret("get") });

    const { targets } = await relay.invoke(event);

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(await struck.scene.readData("db")).toEqual({ password: "second" });
  });
});

describe("Secrets Manager that", () => {
  const faults = [
    { it: "throttles", fault: { kind: "throttle" } },
    { it: "fails", fault: { kind: "serverError" } },
    { it: "hangs up", fault: { kind: "reset" } },
    { it: "hangs up when it has read", fault: { kind: "reset", when: "after" } },
    { it: "takes the credentials for expired", fault: { kind: "expiredCredentials" } },
  ] as const;
  it.each(faults)("$it once is called again, and the Secret is written", async ({ fault }) => {
    const { relay, event } = await prepare();
    struck.sandbox.aws.faults.add({ ...fault, times: 1, match: { operation: "GetSecretValue" } });

    const { targets } = await relay.invoke(event);

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(struck.sandbox.aws.counters.callsOf("GetSecretValue")).toBe(2);
    expect(await struck.scene.readData("db")).toEqual({ password: "second" });
  });
});
