import { type AwsSandbox, type AwsSandboxOptions, startAwsSandbox } from "./aws/start-aws-sandbox.ts";
import type { Resource } from "./kubernetes/resources.ts";
import { type KubernetesSandbox, startKubernetesSandbox } from "./kubernetes/server.ts";
import { type CertificateAuthority, createCertificateAuthority } from "./tls/certificate-authority.ts";

export type SandboxOptions = Pick<AwsSandboxOptions, "accountId" | "region"> & {
  readonly clusterName?: string;
  /** The sandbox's clock, ms since the epoch, for credentials, tokens and signatures. */
  readonly now?: () => number;
  /** Waits on that clock. */
  readonly wait?: AwsSandboxOptions["wait"];
  /** Serve AWS over TLS too; the process must then trust `authority`. */
  readonly awsOverTls?: boolean;
  /** Custom resources of the cluster, in addition to the built-in ones. */
  readonly resources?: readonly Resource[];
  /** Whether Deployments, StatefulSets and DaemonSets are rolled out; otherwise they have no status. */
  readonly rollsOut?: boolean;
};

export type Sandbox = {
  readonly aws: AwsSandbox;
  readonly kubernetes: KubernetesSandbox;
  readonly authority: CertificateAuthority;
  stop(): Promise<void>;
};

/** A connected AWS account and EKS cluster, in this process, on loopback. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { clusterName = "sandbox", region = "eu-west-1", now = Date.now } = options;
  const authority = createCertificateAuthority();
  const certificate = authority.issueServerCertificate(["127.0.0.1", "localhost"]);
  const aws = await startAwsSandbox({
    region,
    now,
    ...(options.wait && { wait: options.wait }),
    ...(options.accountId !== undefined && { accountId: options.accountId }),
    ...(options.awsOverTls && { tls: { key: certificate.keyPem, cert: certificate.certificatePem } }),
  });
  const kubernetes = await startKubernetesSandbox({
    clusterName,
    region,
    authority,
    now: () => new Date(now()),
    ...(options.rollsOut && { rollsOut: true }),
    ...(options.resources && { resources: options.resources }),
    credentialsOf: (accessKeyId) => aws.credentialsOf(accessKeyId),
  });
  const { endpoint, certificateAuthorityData } = kubernetes;
  aws.addCluster({ name: clusterName, endpoint, certificateAuthorityData });
  const stop = async () => {
    await kubernetes.stop();
    await aws.stop();
  };
  return { aws, kubernetes, authority, stop };
}
