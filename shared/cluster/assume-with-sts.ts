// Named exports in a separate file, as in describe-with-eks.ts.
export { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
