import type { Fields, KubernetesObject } from "./object.ts";
import { type FieldProblem, invalidValue, required, tooLong } from "./status.ts";

/** What is wrong with an Event of events.k8s.io/v1; the note is called by its name in core/v1, as on a real server. */
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
