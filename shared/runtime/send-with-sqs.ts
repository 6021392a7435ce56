// Named exports in a separate file: with an import() of the whole package, a bundler keeps every operation of SQS.
export { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
