import type { AwsLocation } from "./secret-id.ts";

/** The function's account and Region, from its ARN in the Lambda context. */
export function functionLocation(context: { readonly invokedFunctionArn: string }): AwsLocation {
  const [, partition = "", , region = "", accountId = ""] = context.invokedFunctionArn.split(":");
  return { partition, region, accountId };
}
