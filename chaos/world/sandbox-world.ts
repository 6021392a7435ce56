import { type AwsSandbox, startAwsSandbox } from "../../sandbox/aws/start-aws-sandbox.ts";
import { type KubernetesSandbox, startKubernetesSandbox } from "../../sandbox/kubernetes/server.ts";
import { verifyEksToken } from "../../sandbox/kubernetes/verify-eks-token.ts";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";
import type { KubernetesBackend } from "../../test/contract/backend.ts";
import type { WorldTime } from "../time/world-time.ts";
import { type Host, ProcessLife } from "../wire/host.ts";
import { serveCredentials } from "./credentials.ts";
import { Sessions } from "./sessions.ts";
import type { World, WorldCluster } from "./world.ts";

const ROLE_ARN = "arn:aws:iam::111122223333:role/relay-of-another-team";

/**
 * An account and clusters of the sandbox, asked in this process and without a socket, so that nothing of the machine
 * decides who comes first.
 */
export async function openSandboxWorld(
  clusters: number,
  { now, hold }: WorldTime,
  credentialsMs: number,
): Promise<World> {
  const aws = await startAwsSandbox({ now });
  const authority = createCertificateAuthority();
  const awsHost: Host = {
    kind: "aws",
    name: "aws",
    at: new URL(aws.endpoint).host,
    downUntil: 0,
    serve: async (request) => sessions.refusalOf(request) ?? askAws(aws, request),
  };
  const sessions = new Sessions(() =>
    aws.issueCredentials({ roleName: "secret-relay", sessionName: "chaos", lifeMs: credentialsMs }),
  );
  const opened: (WorldCluster & { readonly sandbox: KubernetesSandbox })[] = [];
  for (let index = 0; index < clusters; index += 1) {
    const key = `cluster-${index}`;
    const sandbox = await startKubernetesSandbox({
      clusterName: key,
      region: aws.region,
      authority,
      now: () => new Date(now()),
      credentialsOf: (accessKeyId) =>
        sessions.hasEnded(accessKeyId) ? undefined : livingCredentials(aws, accessKeyId, now),
    });
    const { endpoint, certificateAuthorityData } = sandbox;
    aws.addCluster({ name: key, endpoint, certificateAuthorityData });
    // No socket tells of a death where none is used, so the wire asks this one.
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
      entry: entryOf(index, key, sandbox),
      sandbox,
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
          sandbox.history(namespace, name).map((state) => ({ namespace, name, ...state })),
        ),
    });
  }
  const credentials = serveCredentials(() => sessions.issue());
  return {
    aws: { ...aws, env: { ...aws.env, ...credentials.env }, stop: () => aws.stop() },
    clusters: opened,
    hosts: [awsHost, credentials.host, ...opened.map(({ host }) => host)],
    sessions,
    isTokenFor: (cluster, token) => isTokenFor(aws, { cluster, token, now }),
    credentialsEndAt: (accessKeyId) => aws.credentialsOf(accessKeyId)?.expiresAt,
    listsAreStaleFor: (ms) => {
      aws.options.listStaleMs = ms;
    },
    stop: async () => {
      for (const { sandbox } of opened) await sandbox.stop();
      await aws.stop();
    },
  };
}

/** Pinned in the bindings, looked up at EKS, or by a role of another team, in turn. */
export function entryOf(index: number, name: string, backend: KubernetesBackend): object {
  const { region, endpoint, certificateAuthorityData } = backend;
  const found = { name, region };
  const entries = [{ ...found, endpoint, certificateAuthorityData }, found, { ...found, roleArn: ROLE_ARN }];
  return entries[index % entries.length] ?? found;
}

type AskedOfAws = { method: string; url: URL; headers: Readonly<Record<string, string>>; body: Buffer };

async function askAws(aws: AwsSandbox, { method, url, headers, body }: AskedOfAws) {
  const answer = await aws.ask({ method, target: url.pathname + url.search, headers, body });
  if (answer === undefined) throw new Error("The sandbox cuts a connection only when it is told to");
  return { ...answer, headers: { ...answer.headers, date: new Date(aws.now()).toUTCString() } };
}

/** By the same implementation that judges tokens for the API servers, which shares no code with the relay. */
export function isTokenFor(
  { region, credentialsOf }: AwsSandbox,
  asked: { readonly cluster: string; readonly token: string; readonly now: () => number },
): boolean {
  const now = new Date(asked.now());
  return verifyEksToken(asked.token, { clusterName: asked.cluster, region, credentialsOf, now }).ok;
}

/** STS takes no signature of a key that has ended. */
export function livingCredentials(aws: AwsSandbox, accessKeyId: string, now: () => number) {
  const known = aws.credentialsOf(accessKeyId);
  return known?.expiresAt !== undefined && known.expiresAt <= now() ? undefined : known;
}
