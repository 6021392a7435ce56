import { type AwsSandbox, startAwsSandbox } from "../../../sandbox/aws/start-aws-sandbox.ts";
import { verifyEksToken } from "../../../sandbox/kubernetes/verify-eks-token.ts";
import type { Host } from "../transport/host.ts";
import { serveCredentials } from "./credentials.ts";
import { Sessions } from "./sessions.ts";
import { type Store, serveSandboxStore } from "./store.ts";
import type { World, WorldCluster } from "./world.ts";

/** The AWS account of a run: the sandbox's, by socket or in process. On real servers S3 is another one. */
export type Account = {
  readonly aws: AwsSandbox;
  /** For API servers: STS accepts no signature of credentials that have ended. */
  credentialsOf(accessKeyId: string): ReturnType<AwsSandbox["credentialsOf"]>;
  /** The world of this account and these clusters; `askAws` serves requests with valid credentials. */
  worldOf(clusters: readonly WorldCluster[], askAws: NonNullable<Host["serve"]>): World;
};

export async function openAccount(
  now: () => number,
  credentialsMs: number,
  openStore: (aws: AwsSandbox, sessions: Sessions) => Store | Promise<Store> = serveSandboxStore,
): Promise<Account> {
  const aws = await startAwsSandbox({ now });
  const sessions = new Sessions(() =>
    aws.issueCredentials({ roleName: "secret-relay", sessionName: "chaos", lifeMs: credentialsMs }),
  );
  const credentials = serveCredentials(() => sessions.issue());
  const store = await openStore(aws, sessions);
  return {
    aws,
    credentialsOf: (accessKeyId) => {
      if (sessions.hasEnded(accessKeyId)) return undefined;
      const known = aws.credentialsOf(accessKeyId);
      return known?.expiresAt !== undefined && known.expiresAt <= now() ? undefined : known;
    },
    worldOf: (clusters, askAws) => {
      const awsHost: Host = {
        kind: "aws",
        name: "aws",
        at: new URL(aws.endpoint).host,
        downUntil: 0,
        serve: async (request, send) => sessions.refusalOf(request) ?? askAws(request, send),
      };
      return {
        aws: { ...aws, env: { ...aws.env, ...credentials.env, ...store.env }, stop: () => aws.stop() },
        clusters,
        store: store.host,
        addBucket: store.addBucket,
        emptyBucket: store.emptyBucket,
        hosts: [awsHost, store.host, credentials.host, ...clusters.map(({ host }) => host)],
        sessions,
        isTokenFor: (clusterName, token) => {
          const { region, credentialsOf } = aws;
          // The same implementation that checks tokens for the API servers; it shares no code with the relay.
          return verifyEksToken(token, { clusterName, region, credentialsOf, now: new Date(now()) }).ok;
        },
        credentialsEndAt: (accessKeyId) => aws.credentialsOf(accessKeyId)?.expiresAt,
        listsAreStaleFor: (ms) => {
          aws.options.listStaleMs = ms;
        },
        stop: async () => {
          for (const { backend } of clusters) await backend.stop();
          await store.stop();
          await aws.stop();
        },
      };
    },
  };
}
