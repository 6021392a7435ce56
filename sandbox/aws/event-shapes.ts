import { randomUUID } from "node:crypto";
import { type Call, lowerFirst } from "./call.ts";

/** An event as EventBridge delivers it. */
export type AwsEvent = {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: "aws.secretsmanager" | "aws.s3";
  readonly account: string;
  /** Whole seconds. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
};

export type EventOrigin = { readonly accountId: string; readonly region: string; readonly at: number };

export type LabelMoved = {
  readonly name: string;
  readonly arn: string;
  readonly label: string;
  readonly versionId: string;
};

/** The native event: the full ARN is in resources, and the detail has only the name. */
export function labelUpdatedEvent(
  origin: EventOrigin,
  { name, arn, label, versionId }: LabelMoved,
): AwsEvent {
  return envelope(origin, "Secret Label Updated", [arn], { name, labelUpdated: label, versionId });
}

export type ObjectCreated = {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  /** In quotes, as in the response. */
  readonly etag: string;
  /** Absent in a bucket without versioning. */
  readonly versionId?: string;
};

/** What a bucket with EventBridge notifications sends for a put. The key is not encoded. */
export function objectCreatedEvent(
  origin: EventOrigin,
  arn: string,
  { bucket, key, size, etag, versionId }: ObjectCreated,
  call: Call,
  /** Grows with each put and deletion. */
  sequence: number,
): AwsEvent {
  const object = { key, size, etag: etag.replaceAll('"', ""), ...versionAndOrder(versionId, sequence) };
  const detail = { ...detailOf(bucket, object, call), reason: "PutObject" };
  return { ...envelope(origin, "Object Created", [arn], detail), source: "aws.s3" };
}

export type ObjectDeleted = {
  readonly bucket: string;
  readonly key: string;
  /** Of the delete marker, or of the version that was removed; absent in a bucket without versioning. */
  readonly versionId?: string;
  readonly deletionType: "Delete Marker Created" | "Permanently Deleted";
};

/** What a bucket with EventBridge notifications sends for a deletion. */
export function objectDeletedEvent(
  origin: EventOrigin,
  arn: string,
  { bucket, key, versionId, deletionType }: ObjectDeleted,
  call: Call,
  sequence: number,
): AwsEvent {
  const object = { key, ...versionAndOrder(versionId, sequence) };
  const detail = {
    ...detailOf(bucket, object, call),
    reason: "DeleteObject",
    "deletion-type": deletionType,
  };
  return { ...envelope(origin, "Object Deleted", [arn], detail), source: "aws.s3" };
}

const detailOf = (bucket: string, object: object, { requestId, accessKeyId }: Call) => ({
  version: "0",
  bucket: { name: bucket },
  object,
  "request-id": requestId,
  requester: accessKeyId,
  "source-ip-address": "127.0.0.1",
});

const versionAndOrder = (versionId: string | undefined, sequence: number) => ({
  ...(versionId !== undefined && { "version-id": versionId }),
  sequencer: sequence.toString(16).toUpperCase().padStart(18, "0"),
});

export type CallOutcome = {
  readonly arn?: string | undefined;
  readonly error?: { code: string; message: string };
};

/** A request in CloudTrail's form: the members that the caller sent, in lower camel case, without values. */
export function apiCallEvent(origin: EventOrigin, call: Call, outcome: CallOutcome): AwsEvent {
  const readOnly = READ_ONLY.has(call.operation);
  return envelope(origin, "AWS API Call via CloudTrail", [], {
    eventVersion: "1.09",
    userIdentity: {
      type: call.callerArn.includes(":assumed-role/") ? "AssumedRole" : "IAMUser",
      arn: call.callerArn,
      accountId: origin.accountId,
      accessKeyId: call.accessKeyId,
    },
    eventTime: timeOf(origin.at),
    eventSource: "secretsmanager.amazonaws.com",
    eventName: call.operation,
    awsRegion: origin.region,
    sourceIPAddress: "127.0.0.1",
    userAgent: "sandbox",
    ...(outcome.error && { errorCode: outcome.error.code, errorMessage: outcome.error.message }),
    requestParameters: requestParameters(call),
    responseElements: readOnly || outcome.error || outcome.arn === undefined ? null : { arn: outcome.arn },
    requestID: call.requestId,
    eventID: randomUUID(),
    readOnly,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: origin.accountId,
    eventCategory: "Management",
  });
}

/** An event of Secrets Manager itself, such as RotationSucceeded. */
export function serviceEvent(
  origin: EventOrigin,
  eventName: string,
  arn: string,
  { versionId, errorMessage }: { versionId?: string; errorMessage?: string } = {},
): AwsEvent {
  return envelope(origin, "AWS Service Event via CloudTrail", [], {
    eventVersion: "1.08",
    userIdentity: { accountId: origin.accountId, invokedBy: "secretsmanager.amazonaws.com" },
    eventTime: timeOf(origin.at),
    eventSource: "secretsmanager.amazonaws.com",
    eventName,
    awsRegion: origin.region,
    sourceIPAddress: "secretsmanager.amazonaws.com",
    userAgent: "secretsmanager.amazonaws.com",
    ...(errorMessage !== undefined && { errorMessage }),
    requestParameters: null,
    responseElements: null,
    additionalEventData: { SecretId: arn, ...(versionId !== undefined && { SecretVersionId: versionId }) },
    requestID: `Rotation-${arn}-${randomUUID()}`,
    eventID: randomUUID(),
    readOnly: false,
    eventType: "AwsServiceEvent",
    managementEvent: true,
    recipientAccountId: origin.accountId,
    eventCategory: "Management",
  });
}

const READ_ONLY = new Set([
  "BatchGetSecretValue",
  "DescribeSecret",
  "GetSecretValue",
  "ListSecretVersionIds",
  "ListSecrets",
]);

export function isReadOnly(call: Call): boolean {
  return READ_ONLY.has(call.operation);
}

function requestParameters({ input }: Call): object {
  const told = Object.entries(input).filter(
    ([member]) => member !== "SecretString" && member !== "SecretBinary",
  );
  return Object.fromEntries(told.map(([member, value]) => [lowerFirst(member), value]));
}

function envelope(
  { accountId, region, at }: EventOrigin,
  detailType: string,
  resources: readonly string[],
  detail: Readonly<Record<string, unknown>>,
): AwsEvent {
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": detailType,
    source: "aws.secretsmanager",
    account: accountId,
    time: timeOf(at),
    region,
    resources,
    detail,
  };
}

function timeOf(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}
