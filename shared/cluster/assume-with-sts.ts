// Named imports from a file of its own, as in describe-with-eks.ts.
export { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
