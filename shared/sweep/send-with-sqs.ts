// Named imports from a file of its own: behind an import() of the whole package, a bundler keeps every operation of SQS.
export { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
