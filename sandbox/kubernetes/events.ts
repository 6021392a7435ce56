import { type Fields, fieldsOf, type KubernetesObject, withoutEmpty } from "./object.ts";
import { type FieldProblem, invalidValue, required, tooLong } from "./status.ts";
import type { TableColumn } from "./table-column.ts";
import { timeSince } from "./time-since.ts";

/** The problems of an Event of events.k8s.io/v1; messages use the note's name in core/v1, as on a real server. */
export function eventProblems(event: KubernetesObject): FieldProblem[] {
  const { eventTime, type, note } = event as Fields;
  return [
    ...(eventTime ? [] : [required("eventTime")]),
    ...TEXTS.flatMap(([field, bytesMax]) => textProblems(event[field], field, bytesMax)),
    ...(type === "Normal" || type === "Warning" ? [] : [invalidValue("type", type, "has invalid value")]),
    ...(String(note ?? "").length > NOTE_BYTES_MAX ? [tooLong("message", NOTE_BYTES_MAX)] : []),
  ];
}

const NOTE_BYTES_MAX = 1_024;

const TEXTS: readonly [field: string, bytesMax: number][] = [
  ["reportingController", 317],
  ["reportingInstance", 128],
  ["action", 128],
  ["reason", 128],
];

function textProblems(text: unknown, field: string, bytesMax: number): FieldProblem[] {
  if (typeof text !== "string" || text === "") return [required(field)];
  return text.length > bytesMax ? [tooLong(field, bytesMax)] : [];
}

/** An Event of events.k8s.io/v1 with the field names of core/v1, for `kubectl describe` and `kubectl get events`. */
export function coreEventOf(event: KubernetesObject): KubernetesObject {
  const { metadata, regarding, related, reason, type, action, note, eventTime, series } = event;
  const { reportingController, reportingInstance } = event;
  const { deprecatedSource, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedCount } = event;
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata,
    involvedObject: fieldsOf(regarding),
    ...withoutEmpty({ reason, message: note }),
    source: fieldsOf(deprecatedSource),
    firstTimestamp: deprecatedFirstTimestamp ?? null,
    lastTimestamp: deprecatedLastTimestamp ?? null,
    ...withoutEmpty({ count: deprecatedCount, type }),
    eventTime: eventTime ?? null,
    ...withoutEmpty({ series, action, related }),
    reportingComponent: reportingController ?? "",
    reportingInstance: reportingInstance ?? "",
  };
}

const column = (name: string, cell: TableColumn["cell"]): TableColumn => ({
  name,
  type: "string",
  description: "",
  cell,
});

export const CORE_EVENT_COLUMNS: TableColumn[] = [
  column("Last Seen", ({ metadata, eventTime }, now) =>
    timeSince(String(eventTime ?? metadata.creationTimestamp), now),
  ),
  column("Type", ({ type }) => type),
  column("Reason", ({ reason }) => reason),
  column("Object", ({ involvedObject }) => {
    const { kind, name } = fieldsOf(involvedObject);
    return `${String(kind).toLowerCase()}/${name}`;
  }),
  column("Message", ({ message }) => message),
];

export const CORE_EVENT_FIELDS: readonly string[] = [
  ...["kind", "namespace", "name", "uid", "apiVersion"].map((field) => `involvedObject.${field}`),
  "reason",
  "reportingComponent",
  "type",
];
