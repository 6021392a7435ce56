import type { AwsSandbox } from "../../../sandbox/aws/start-aws-sandbox.ts";
import { startKubernetesSandbox } from "../../../sandbox/kubernetes/server.ts";
import { createCertificateAuthority } from "../../../sandbox/tls/certificate-authority.ts";
import type { WorldTime } from "../time/world-time.ts";
import { type Host, ProcessLife } from "../transport/host.ts";
import { openAccount } from "./account.ts";
import { entryOf } from "./cluster-entry.ts";
import type { World, WorldCluster } from "./world.ts";

/**
 * An account and clusters of the sandbox, called in this process without a socket, so that the machine does not decide
 * the order.
 */
export async function openSandboxWorld(
  clusters: number,
  { now, hold }: WorldTime,
  credentialsMs: number,
): Promise<World> {
  const { aws, credentialsOf, worldOf } = await openAccount(now, credentialsMs);
  const authority = createCertificateAuthority();
  const opened: WorldCluster[] = [];
  for (let index = 0; index < clusters; index += 1) {
    const key = `cluster-${index}`;
    const sandbox = await startKubernetesSandbox({
      clusterName: key,
      region: aws.region,
      authority,
      now: () => new Date(now()),
      credentialsOf,
      rollsOut: true,
    });
    const { endpoint, certificateAuthorityData } = sandbox;
    aws.addCluster({ name: key, endpoint, certificateAuthorityData });
    // Without a socket no connection shows that the server died, so the transport asks `life`.
    const life = new ProcessLife();
    const host: Host = {
      kind: "cluster",
      name: key,
      at: new URL(endpoint).host,
      downUntil: 0,
      life,
      serve: ({ method, url, headers, body }) =>
        sandbox.ask({ method, target: url.pathname + url.search, headers, body: body.toString() }),
    };
    opened.push({
      key,
      host,
      backend: sandbox,
      hasControllers: true,
      entry: entryOf(index, key, sandbox),
      kill: () => {
        life.kill();
        return hold(() => sandbox.kill());
      },
      startAgain: async () => {
        await hold(() => sandbox.startAgain());
        life.startAgain();
      },
      history: async (secrets) =>
        secrets.flatMap(({ namespace, name }) =>
          sandbox.history(namespace, name).map((state) => ({ namespace, ...state })),
        ),
    });
  }
  return worldOf(opened, (request) => askAws(aws, request));
}

type AwsRequest = { method: string; url: URL; headers: Readonly<Record<string, string>>; body: Buffer };

async function askAws(aws: AwsSandbox, { method, url, headers, body }: AwsRequest) {
  const answer = await aws.ask({ method, target: url.pathname + url.search, headers, body });
  if (answer === undefined) throw new Error("The sandbox cuts a connection only for a fault");
  const date = new Date(aws.now()).toUTCString();
  return { ...answer, headers: { ...answer.headers, date }, body: answer.body.toString() };
}
