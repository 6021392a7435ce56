import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { beforeEach, describe, expect, it } from "vitest";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";
import { labelUpdated, startRelay } from "../harness/relay.ts";
import { invokeWithin, useFaultScene } from "./fault-scene.ts";

const struck = useFaultScene();

describe("a cluster whose endpoint is not pinned", () => {
  const tellEks = (more: { endpoint?: string; certificateAuthorityData?: string } = {}) => {
    const { clusterName: name, endpoint, certificateAuthorityData } = struck.sandbox.kubernetes;
    struck.sandbox.aws.addCluster({ name, endpoint, certificateAuthorityData, ...more });
  };
  // A cluster that was looked up seconds ago is not looked up again: the relay's clock has to move on.
  let aheadMs = 0;
  const letLookupsAge = () => {
    aheadMs += 60_000;
  };
  const startUnpinned = async () => {
    const { clusterName: name, region } = struck.backend.kubernetes;
    const source = await struck.createSource();
    const bindings = [struck.bindTo(source, "db", "looked")];
    const relay = await startRelay(struck.backend, {
      clusters: { looked: { name, region } },
      bindings,
      now: () => Date.now() + aheadMs,
    });
    return { relay, source };
  };
  const lookups = () => struck.sandbox.aws.counters.callsOf("DescribeCluster");
  beforeEach(() => {
    aheadMs = 0;
    tellEks();
  });

  it("is looked up once for many rotations", async () => {
    const { relay, source } = await startUnpinned();

    for (let round = 0; round < 3; round += 1) await relay.invoke({ secretId: source.name });

    expect(lookups()).toBe(1);
  });

  it("is looked up again when its endpoint stops answering, in the same invocation", async () => {
    const old = await startDoorTo(struck.backend.kubernetes.endpoint);
    tellEks({ endpoint: old.endpoint });
    const { relay, source } = await startUnpinned();
    await relay.invoke({ secretId: source.name });
    await old.close();
    tellEks();
    letLookupsAge();
    const rotated = await struck.rotate(source, "second");

    const { targets } = await relay.invoke(labelUpdated(struck.backend, rotated));

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(lookups()).toBe(2);
    expect(await struck.scene.readData("db")).toEqual({ password: "second" });
  });

  it("is looked up again when its CA changed, and gets no token before that", async () => {
    tellEks({ certificateAuthorityData: createCertificateAuthority().certificateAuthorityData });
    const { relay, source } = await startUnpinned();
    const { error } = await invokeWithin(relay, struck, { secretId: source.name }, 15_000);
    const reached = struck.sandbox.kubernetes.requests.total;
    tellEks();
    letLookupsAge();

    const { targets } = await relay.invoke({ secretId: source.name });

    expect(error?.message).toContain("CLUSTER_UNTRUSTED");
    expect(reached).toBe(0);
    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(lookups()).toBe(2);
  });

  it("is not looked up by every invocation while it is down", async () => {
    tellEks({ endpoint: "https://127.0.0.1:9" });
    const { relay, source } = await startUnpinned();

    for (let round = 0; round < 3; round += 1) {
      await invokeWithin(relay, struck, { secretId: source.name }, 3_000);
    }

    expect(lookups()).toBe(1);
  });

  it("that does not exist in EKS is refused with a code, and not retried", async () => {
    struck.sandbox.aws.removeCluster(struck.backend.kubernetes.clusterName);
    const { relay, source } = await startUnpinned();

    const { targets } = await relay.invoke({ secretId: source.name });

    expect(targets).toMatchObject([{ outcome: "refused", code: "CLUSTER_NOT_FOUND" }]);
  });

  it("without permission for the lookup is refused with advice", async () => {
    struck.sandbox.aws.faults.add({ kind: "accessDenied", match: { operation: "DescribeCluster" } });
    const { relay, source } = await startUnpinned();

    const { targets } = await relay.invoke({ secretId: source.name });

    expect(targets).toMatchObject([{ outcome: "refused", code: "CLUSTER_LOOKUP_FORBIDDEN" }]);
    expect(targets[0]?.advice).toContain("pin endpoint and certificateAuthorityData");
  });

  it("fails the invocation while EKS is unavailable", async () => {
    struck.sandbox.aws.faults.add({ kind: "serverError", match: { operation: "DescribeCluster" } });
    const { relay, source } = await startUnpinned();

    const { error } = await invokeWithin(relay, struck, { secretId: source.name }, 15_000);

    expect(error?.message).toContain("CLUSTER_LOOKUP_FAILED");
  });
});

/** A second endpoint of the same server, which can be closed. */
async function startDoorTo(endpoint: string) {
  const { hostname, port } = new URL(endpoint);
  const sockets = new Set<Socket>();
  const door = createServer((outside) => {
    const inside = connect(Number(port), hostname);
    for (const socket of [outside, inside]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    outside.pipe(inside).pipe(outside);
  });
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
  return {
    endpoint: `https://127.0.0.1:${(door.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      door.close();
      await once(door, "close");
    },
  };
}
