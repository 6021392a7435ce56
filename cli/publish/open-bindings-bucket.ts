import { type AwsSession, openAwsSession } from "../live/aws-session.ts";
import type { AwsOptions } from "../live/options.ts";
import { bucketOf, type DeployedStack, readStack } from "../live/stack.ts";
import type { BindingsBucket } from "./bindings-bucket.ts";
import { withBindingsBucket } from "./s3-bucket.ts";

export type StackOptions = AwsOptions & { readonly stackName: string };

export type OpenBucket = {
  readonly aws: AwsSession;
  readonly stack: DeployedStack;
  readonly bucket: BindingsBucket;
};

/** Finds the bucket of the stack, and runs `use` with it. */
export async function withBucketOfStack<T>(
  options: StackOptions,
  use: (open: OpenBucket) => Promise<T>,
): Promise<T> {
  const aws = await openAwsSession(options);
  const stack = await readStack(aws, options.stackName);
  const name = bucketOf(stack, options.stackName);
  return withBindingsBucket(aws, name, (bucket) => use({ aws, stack, bucket }));
}
