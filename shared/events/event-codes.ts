/** Stable codes of events that the relay does not act on. The documentation is generated from the sentences. */

/** Valid events that give no reason to read a source. */
export const IGNORED_CODES = {
  FAILED_CALL: "CloudTrail reports a call that Secrets Manager refused, so nothing changed.",
  READ_ONLY_CALL: "CloudTrail reports a call that only reads, such as the relay's own reads.",
  METADATA_ONLY_CALL: "Tags, policies, replication or rotation settings changed, but no value.",
  OTHER_LABEL:
    "A version got a staging label that no binding of the source follows, such as AWSPENDING during a rotation.",
  ROTATION_ONLY_STARTED:
    "A rotation started; its end and the move of AWSCURRENT are reported by separate events.",
  TEST_ROTATION: "A rotation was only tested; AWSCURRENT does not move.",
  REPLICATION: "A source was replicated to another Region; the sweep finds the current version there.",
  VERSION_DELETION:
    "A version's deletion was scheduled, cancelled or completed, after DeleteSecret or RestoreSecret.",
} as const satisfies Record<string, string>;

export type IgnoredCode = keyof typeof IGNORED_CODES;

/** The meaning of a rejection, and advice for the operator. */
export type RejectionEntry = {
  readonly meaning: string;
  readonly advice: string;
  /** The invocation must fail, because the caller would misunderstand success. */
  readonly mustFail?: true;
};

/** Inputs that the function does not understand or must not trust. */
export const REJECTED_CODES = {
  ROTATION_FUNCTION_INPUT: {
    meaning: "Secrets Manager called the relay as the rotation function of a secret: {Step, SecretId, …}.",
    advice:
      'The relay does not rotate secrets. Give the secret its own rotation function. The relay follows AWSCURRENT by events, or the finishSecret step can call the relay with {"secretId": …}.',
    mustFail: true,
  },
  SCHEDULED_EVENT: {
    meaning: "A schedule called the rotation function.",
    advice: "Point the schedule at the reconcile function, which runs the sweep.",
  },
  FOREIGN_SOURCE: {
    meaning: "The event or record comes from a service other than Secrets Manager.",
    advice: 'Narrow the rule, queue or topic to the source "aws.secretsmanager".',
  },
  UNKNOWN_DETAIL_TYPE: {
    meaning: "An event of Secrets Manager has an unknown detail-type.",
    advice: 'Match "Secret Label Updated" or one of the two CloudTrail detail-types in the rule.',
  },
  UNKNOWN_EVENT_NAME: {
    meaning: "CloudTrail reports an operation of Secrets Manager that the relay does not know.",
    advice:
      "Remove the operation from the rule's pattern, or report it if it changes which value is current.",
  },
  MALFORMED_EVENT: {
    meaning: "A required field of the event is missing or has the wrong type.",
    advice: "Send the event unchanged: no input transformer, input path or constant input on the target.",
  },
  NO_ID: {
    meaning: "The event does not name a source.",
    advice: "Send the event unchanged. If it is unchanged, the sweep will find the change.",
  },
  MALFORMED_ID: {
    meaning:
      "The source id is neither a valid secret name nor an ARN of Secrets Manager, or the resources of a native event are not its ARN.",
    advice: "Use the source's name or ARN: ASCII letters, digits and /_+=.@-! only, at most 512 characters.",
  },
  UNKNOWN_HOME: {
    meaning: "A source is named without an ARN, and the event lacks one clear account and Region for it.",
    advice: "Send the event unchanged, with account and region, or name the source by its ARN.",
  },
  CONTRADICTING_IDS: {
    meaning: "Two fields of one event name two different sources.",
    advice: "Send the event unchanged; the relay reads nothing for a contradictory event.",
  },
  CONTRADICTING_LOCATION: {
    meaning: "The ARN of the source is in another partition, Region or account than the event.",
    advice:
      "Send the event unchanged. Secrets Manager reports a change where the secret is; only CloudTrail also reports it in the caller's account.",
  },
  UNKNOWN_FIELD: {
    meaning: "A direct call has fields other than secretId and versionId, or other than webhookId.",
    advice: 'Call with {"secretId": …} and optionally "versionId", or with only {"webhookId": …}.',
  },
  MALFORMED_VERSION_ID: {
    meaning: "The versionId of a direct call is not a valid VersionId.",
    advice:
      "Leave versionId out, or send the VersionId that Secrets Manager returned, at most 64 characters.",
  },
  MALFORMED_WEBHOOK_ID: {
    meaning: "The webhookId of a direct call is not a valid webhookId.",
    advice: "Send the webhookId of the binding: letters, digits, dots, hyphens and underscores.",
  },
  NOT_AN_OBJECT: {
    meaning: "The input, or the content of its envelope, is not a JSON object.",
    advice: 'Send an event of Secrets Manager, or {"secretId": …}.',
  },
  UNKNOWN_SHAPE: {
    meaning: "The input has an unknown format.",
    advice: 'Send an event of Secrets Manager, or {"secretId": …}; events/ has a sample of each format.',
  },
  AMBIGUOUS_SHAPE: {
    meaning: "The input has the fields of two formats at once, which AWS never sends.",
    advice: "Send one event, or one envelope around it, unchanged.",
  },
  BODY_NOT_JSON: {
    meaning: "The body of a message is not JSON.",
    advice: "Send the event itself as the message, as JSON.",
  },
  NO_RECORDS: {
    meaning: "Records, or the list that a pipe delivers, is empty or not a list.",
    advice:
      "Nothing is lost. If a queue, topic or pipe sent it, check its event source mapping or subscription.",
  },
  MALFORMED_RECORD: {
    meaning:
      "A record of SQS or SNS has no message text or no event source, or its queue or topic contradicts the rest of it.",
    advice: "Send the record as Lambda received it.",
  },
  TOO_LARGE: {
    meaning: "The body of a message is over 1 MiB, more than SQS, SNS or EventBridge carry.",
    advice: "Send only the event itself.",
  },
  TOO_MANY_RECORDS: {
    meaning: "A batch has over 10,000 records, or one message holds over 100 events.",
    advice: "Send fewer records at once; Lambda itself never sends more.",
  },
  TOO_DEEP: {
    meaning: "An event is inside more than eight envelopes.",
    advice: "Send the innermost event; it was probably redriven in a loop.",
  },
} as const satisfies Record<string, RejectionEntry>;

export type RejectedCode = keyof typeof REJECTED_CODES;
