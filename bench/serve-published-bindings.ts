// A sandbox of AWS in its own process, with a stack and its bucket for each count of bindings on the command line. It
// sends its parent process what clients need to reach it, and ends with it.
import { setDefaultCACertificates } from "node:tls";
import { openAwsSession } from "../cli/live/aws-session.ts";
import { publishBindings } from "../cli/publish/publish-bindings.ts";
import { withBindingsBucket } from "../cli/publish/s3-bucket.ts";
import { startSandbox } from "../sandbox/start-sandbox.ts";
import { manyBindings } from "./many-bindings.ts";

/** What the parent gets. The buckets are in the order of the command line, and each stack has the name of its bucket. */
export type ServedBindings = {
  readonly env: Readonly<Record<string, string>>;
  /** The certificate that its clients must trust, as PEM. */
  readonly authority: string;
  /** Its entry in the bindings. */
  readonly cluster: object;
  readonly buckets: readonly string[];
};

// Over TLS, as AWS serves: for plain HTTP the SDK loads node:http, and with it Node's own undici, which takes 35 ms.
const sandbox = await startSandbox({ awsOverTls: true });
setDefaultCACertificates([sandbox.authority.certificatePem]);
const { clusterName: name, endpoint, certificateAuthorityData } = sandbox.kubernetes;
const cluster = { name, region: sandbox.aws.region, endpoint, certificateAuthorityData };
Object.assign(process.env, sandbox.aws.env);
const aws = await openAwsSession({});
const buckets: string[] = [];
for (const [index, count] of process.argv.slice(2).map(Number).entries()) {
  const bucketName = `bindings-${index}`;
  sandbox.aws.addBucket(bucketName, { versioned: true });
  sandbox.aws.addStack(bucketName, { BindingsBucketName: bucketName }, { SecretNamePrefix: "prod/" });
  await withBindingsBucket(aws, bucketName, (bucket) =>
    publishBindings(bucket, manyBindings(count, cluster), undefined, {
      callerArn: aws.callerArn,
      now: Date.now,
      reportProgress: () => {},
    }),
  );
  buckets.push(bucketName);
}
process.send?.({
  env: sandbox.aws.env,
  authority: sandbox.authority.certificatePem,
  cluster,
  buckets,
} satisfies ServedBindings);
process.once("disconnect", () => process.exit());
