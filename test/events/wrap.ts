/** The wrappings that AWS puts around an event, each with only the fields that identify it. */
export const wrap = {
  sns: (inner: unknown) => ({
    Records: [{ EventSource: "aws:sns", EventVersion: "1.0", Sns: wrap.notification(inner) }],
  }),
  notification: (inner: unknown) => ({
    Type: "Notification",
    TopicArn: "arn:aws:sns:eu-west-1:111122223333:relay-events",
    Message: JSON.stringify(inner),
  }),
  sqs: (inner: unknown, messageId = "message-1") => ({
    Records: [{ eventSource: "aws:sqs", messageId, body: JSON.stringify(inner) }],
  }),
  failure: (inner: unknown) => ({
    version: "1.0",
    requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 3 },
    requestPayload: inner,
  }),
};

export type Wrapping = keyof typeof wrap;
