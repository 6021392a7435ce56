import { parseVersionId } from "../secret-id/parse-version-id.ts";
import { eventHome, eventIdOf, eventStamp } from "./event-stamp.ts";
import { findSource, resourcePlace } from "./find-source.ts";
import { otherLabels } from "./other-labels.ts";
import { own, ownString } from "./own-property.ts";
import { given, ignored, type ParsedEvent, rejected } from "./parsed-event.ts";

/** The native event: a staging label moved. The full ARN is in `resources`, `detail` holds the bare name. */
export function parseLabelUpdated(event: unknown): ParsedEvent {
  const detail = own(event, "detail");
  const label = ownString(detail, "labelUpdated");
  if (label === undefined) return rejected("MALFORMED_EVENT", eventIdOf(event));
  const labels = otherLabels([label]);
  if (labels === "none") return ignored("OTHER_LABEL", eventIdOf(event));

  const places = [resourcePlace(event), { text: own(detail, "name"), origin: "any" } as const];
  const source = findSource(places, eventHome(event));
  if (typeof source === "string") return rejected(source, eventIdOf(event));
  const versionId = parseVersionId(own(detail, "versionId"));
  return {
    kind: "change",
    change: { source, reason: "label-updated", ...given({ labels, versionId }), ...eventStamp(event) },
  };
}
