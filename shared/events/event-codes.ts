/**
 * Every code by which an event is left alone, with its meaning. Alarms, the runbook and scripts rely on the codes;
 * the documentation is made from the sentences.
 */

/** Known, in order, and no reason to read anything. */
export const IGNORED_CODES = {
  FAILED_CALL: "CloudTrail reports a call that Secrets Manager refused, so nothing changed.",
  READ_ONLY_CALL: "CloudTrail reports a call that only reads; the relay's own reads come back like this.",
  METADATA_ONLY_CALL: "Tags, policies, replication or rotation settings changed, and no value did.",
  OTHER_LABEL:
    "A version got a staging label that no binding of the source follows, such as AWSPENDING in mid-rotation.",
  ROTATION_ONLY_STARTED:
    "A rotation started; its end, and the move of AWSCURRENT, come as events of their own.",
  TEST_ROTATION: "A rotation was only tested; AWSCURRENT stays where it is.",
  REPLICATION: "A source was copied to another Region; what is current there is seen by the sweep.",
  VERSION_DELETION:
    "A version's deletion was scheduled, cancelled or done, after DeleteSecret or RestoreSecret.",
} as const satisfies Record<string, string>;

export type IgnoredCode = keyof typeof IGNORED_CODES;

/** What a rejection means, and what the person who reads it can do. */
export type RejectionEntry = {
  readonly meaning: string;
  readonly advice: string;
  /** The invocation must fail, because the caller would take success for something that did not happen. */
  readonly mustFail?: true;
};

/** Nothing that this function understands, or nothing that it may believe. */
export const REJECTED_CODES = {
  ROTATION_FUNCTION_INPUT: {
    meaning: "Secrets Manager called the relay as the rotation function of a secret: {Step, SecretId, …}.",
    advice:
      'The relay does not rotate. Give the secret a rotation function of its own; the relay follows AWSCURRENT by events, or let that function\'s finishSecret step call the relay with {"secretId": …}.',
    mustFail: true,
  },
  SCHEDULED_EVENT: {
    meaning: "A schedule called the function that follows events.",
    advice: "Point the schedule at the reconcile function; the sweep runs there.",
  },
  FOREIGN_SOURCE: {
    meaning: "The event or record comes from a service other than Secrets Manager.",
    advice: 'Narrow the rule, queue or topic to the source "aws.secretsmanager".',
  },
  UNKNOWN_DETAIL_TYPE: {
    meaning: "An event of Secrets Manager has a detail-type that it is not known to send.",
    advice: 'Match "Secret Label Updated", or one of the two CloudTrail detail-types.',
  },
  UNKNOWN_EVENT_NAME: {
    meaning: "CloudTrail names an operation of Secrets Manager that the relay does not know.",
    advice: "Leave it out of the rule's pattern, or report it if it changes which value is current.",
  },
  MALFORMED_EVENT: {
    meaning: "An event lacks a field that every event of its kind has, or has it in the wrong type.",
    advice: "Send the event unchanged: no input transformer, input path or constant input on the target.",
  },
  NO_ID: {
    meaning: "No place of the event that can name a source does.",
    advice: "Send the event unchanged; if it is, the sweep will find the change.",
  },
  MALFORMED_ID: {
    meaning: "What should name a source is neither a legal name nor an ARN of Secrets Manager.",
    advice: "Use the source's name or ARN: ASCII letters, digits and /_+=.@-! only, at most 512 characters.",
  },
  UNKNOWN_HOME: {
    meaning: "A source is named without an ARN, and the event does not say one account and Region for it.",
    advice: "Send the event unchanged, with account and region, or name the source by its ARN.",
  },
  CONTRADICTING_IDS: {
    meaning: "Two places of one event name two different sources.",
    advice: "Send the event unchanged; nothing is read for an event that cannot be believed.",
  },
  UNKNOWN_FIELD: {
    meaning: "A direct call has a field other than secretId and versionId, or other than webhookId.",
    advice: 'Call with {"secretId": …} and, if you know it, "versionId"; or with {"webhookId": …} alone.',
  },
  MALFORMED_VERSION_ID: {
    meaning: "The versionId of a direct call cannot be one.",
    advice:
      "Leave versionId out, or send the VersionId that Secrets Manager returned, at most 64 characters.",
  },
  MALFORMED_WEBHOOK_ID: {
    meaning: "The webhookId of a direct call can stand in no binding.",
    advice: "Send what the binding says under webhookId: letters, digits, dots, hyphens and underscores.",
  },
  NOT_AN_OBJECT: {
    meaning: "The input, or what a wrapping holds, is no JSON object.",
    advice: 'Send an event of Secrets Manager, or {"secretId": …}.',
  },
  UNKNOWN_SHAPE: {
    meaning: "The input is an object of no known shape.",
    advice: 'Send an event of Secrets Manager, or {"secretId": …}; events/ has a sample of each shape.',
  },
  AMBIGUOUS_SHAPE: {
    meaning: "The input has the marks of two shapes at once, which nothing on AWS sends.",
    advice: "Send one event, or one wrapping of it, unchanged.",
  },
  BODY_NOT_JSON: {
    meaning: "The text of a message is no JSON.",
    advice: "Send the event itself as the message, as JSON.",
  },
  NO_RECORDS: {
    meaning: "A list of records is empty, or no list.",
    advice: "Nothing is lost; if a queue or topic sent it, look at how it is connected.",
  },
  MALFORMED_RECORD: {
    meaning: "A record of SQS or SNS has no message text, or does not say where it comes from.",
    advice: "Send the record as Lambda received it.",
  },
  TOO_LARGE: {
    meaning: "The text of a message is over 1 MiB, more than SQS, SNS or EventBridge carry.",
    advice: "Send the event itself, without what was added to it.",
  },
  TOO_MANY_RECORDS: {
    meaning: "A batch has over 10,000 records, or one message holds over 100.",
    advice: "Send fewer at once; Lambda itself never sends more.",
  },
  TOO_DEEP: {
    meaning: "An event is wrapped more than eight times.",
    advice: "Send the innermost event; it was redriven round and round.",
  },
} as const satisfies Record<string, RejectionEntry>;

export type RejectedCode = keyof typeof REJECTED_CODES;
