import { parseCloudTrailCall } from "./cloudtrail-call.ts";
import { parseCloudTrailServiceEvent } from "./cloudtrail-service-event.ts";
import { eventIdOf } from "./event-metadata.ts";
import { parseLabelUpdated } from "./label-updated.ts";
import { isForeign, own, ownString } from "./own-property.ts";
import { type ParsedEvent, rejected } from "./parsed-event.ts";

export function parseEventBridgeEvent(event: unknown): ParsedEvent {
  const eventId = eventIdOf(event);
  const source = ownString(event, "source");
  if (source === undefined) return rejected("MALFORMED_EVENT", eventId);
  // Before the detail, which EventBridge Scheduler sends as the string "{}".
  if (SCHEDULES.has(source)) return rejected("SCHEDULED_EVENT", eventId);
  if (source !== "aws.secretsmanager") return rejected("FOREIGN_SOURCE", eventId);

  const detail = own(event, "detail");
  const parse = PARSERS.get(ownString(event, "detail-type") ?? "");
  if (parse === undefined) return rejected("UNKNOWN_DETAIL_TYPE", eventId);
  if (!isForeign(detail)) return rejected("MALFORMED_EVENT", eventId);
  // Some published samples have no eventSource, so only a different eventSource is refused.
  const service = own(detail, "eventSource") ?? SERVICE;
  return service === SERVICE ? parse(event) : rejected("FOREIGN_SOURCE", eventId);
}

const SERVICE = "secretsmanager.amazonaws.com";

/** EventBridge Scheduler, and scheduled rules of EventBridge. */
const SCHEDULES = new Set(["aws.scheduler", "aws.events"]);

const PARSERS = new Map<string, (event: unknown) => ParsedEvent>([
  ["Secret Label Updated", parseLabelUpdated],
  ["AWS API Call via CloudTrail", parseCloudTrailCall],
  ["AWS Service Event via CloudTrail", parseCloudTrailServiceEvent],
]);
