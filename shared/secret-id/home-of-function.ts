import type { SecretHome } from "./secret-id.ts";

/** The account and Region that a function runs in, from the ARN that Lambda tells it at each invocation. */
export function homeOfFunction(context: { readonly invokedFunctionArn: string }): SecretHome {
  const [, partition = "", , region = "", accountId = ""] = context.invokedFunctionArn.split(":");
  return { partition, region, accountId };
}
