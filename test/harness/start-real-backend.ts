import { startMoto } from "../real/aws/start.ts";
import { type ControlPlaneOptions, startControlPlane } from "../real/control-plane/start.ts";
import type { Backend } from "./backend.ts";
import { realClock } from "./clock.ts";

/** moto, etcd and kube-apiserver, with one pair of AWS credentials that all of them know. Takes some 8 s. */
export async function startRealBackend(
  options: Pick<ControlPlaneOptions, "controllers"> = {},
): Promise<Backend> {
  const aws = await startMoto();
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = aws.env;
  const known = { secretAccessKey, arn: `arn:aws:sts::${aws.accountId}:assumed-role/secret-relay/rotation` };
  try {
    const kubernetes = await startControlPlane({
      ...options,
      region: aws.region,
      credentialsOf: (asked) => (asked === accessKeyId ? known : undefined),
    });
    const stop = async () => {
      await kubernetes.stop();
      await aws.stop();
    };
    return { name: "real", aws, kubernetes, clock: realClock, stop };
  } catch (error) {
    await aws.stop();
    throw error;
  }
}
