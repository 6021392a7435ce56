import { once } from "node:events";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { KubernetesBackend } from "../test/contract/backend.ts";
import { type Bench, machine, quantile, round } from "./bench.ts";
import { startBackend } from "./start-backend.ts";

/**
 * A connection to the API server, with the TLS session of an earlier one and without. The relay keeps sessions beyond its
 * connections, which it leaves after half a minute without use: what that is worth is the difference. Of both ends, since
 * they share the machine; round trips are as many with TLS 1.3.
 */
export const connect: Bench = {
  summary: "a connection to the API server, with and without an earlier TLS session",
  hasBackend: true,
  counts: { samples: { means: "connections of each kind", otherwise: 200 } },
  run: async ({ backend: name, counts: { samples = 0 } }) => {
    const backend = await startBackend(name);
    try {
      const { kubernetes } = backend;
      const session = await fetchSession(kubernetes);
      const full: Connected[] = [];
      const resumed: Connected[] = [];
      for (let turn = 0; turn < samples + WARM_UP; turn += 1) {
        const one = await timeConnection(kubernetes, undefined);
        const other = await timeConnection(kubernetes, session);
        if (one.isResumed || !other.isResumed)
          throw new Error("A session was taken up, or was not, against the plan");
        if (turn < WARM_UP) continue;
        full.push(one);
        resumed.push(other);
      }
      const p50 = (all: readonly Connected[], of: (one: Connected) => number) =>
        round(quantile(all.map(of), 0.5), 2);
      return {
        backend: name,
        protocol: full[0]?.protocol ?? "",
        samples,
        fullP50Ms: p50(full, ({ ms }) => ms),
        resumedP50Ms: p50(resumed, ({ ms }) => ms),
        fullCpuP50Ms: p50(full, ({ cpuMs }) => cpuMs),
        resumedCpuP50Ms: p50(resumed, ({ cpuMs }) => cpuMs),
        machine: machine(),
      };
    } finally {
      await backend.stop();
    }
  },
};

const WARM_UP = 20;

type Connected = {
  readonly ms: number;
  /** Of this process. */
  readonly cpuMs: number;
  readonly isResumed: boolean;
  readonly protocol: string;
};

async function timeConnection(
  kubernetes: KubernetesBackend,
  session: Buffer | undefined,
): Promise<Connected> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const socket = open(kubernetes, session);
  await once(socket, "secureConnect");
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  const isResumed = socket.isSessionReused();
  const protocol = socket.getProtocol() ?? "";
  socket.destroy();
  await once(socket, "close");
  return { ms, cpuMs: (user + system) / 1_000, isResumed, protocol };
}

async function fetchSession(kubernetes: KubernetesBackend): Promise<Buffer> {
  const socket = open(kubernetes, undefined);
  const [session] = (await once(socket, "session")) as [Buffer];
  socket.destroy();
  return session;
}

function open(
  { endpoint, certificateAuthorityData }: KubernetesBackend,
  session: Buffer | undefined,
): TLSSocket {
  const { hostname: host, port } = new URL(endpoint);
  const ca = Buffer.from(certificateAuthorityData, "base64");
  return connectTls({ host, port: Number(port), ca, ...(session && { session }) }).on("error", () => {});
}
