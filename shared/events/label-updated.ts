import { parseVersionId } from "../source/parse-version-id.ts";
import { envelopeLocations } from "./envelope-location.ts";
import { eventIdOf, eventLocation, eventMetadata } from "./event-metadata.ts";
import { findSource, nativeResourceIdFields } from "./find-source.ts";
import { otherLabels } from "./other-labels.ts";
import { own, ownString } from "./own-property.ts";
import { ignored, type ParsedEvent, rejected, withoutUndefined } from "./parsed-event.ts";

/** The native event: a staging label moved. `resources` has the full ARN, `detail` the bare name. */
export function parseLabelUpdated(event: unknown): ParsedEvent {
  const detail = own(event, "detail");
  const label = ownString(detail, "labelUpdated");
  if (label === undefined) return rejected("MALFORMED_EVENT", eventIdOf(event));
  const labels = otherLabels([label]);
  if (labels === "none") return ignored("OTHER_LABEL", eventIdOf(event));

  const idFields = [...nativeResourceIdFields(event), { text: own(detail, "name"), origin: "any" } as const];
  const source = findSource(idFields, eventLocation(event), envelopeLocations(event));
  if (typeof source === "string") return rejected(source, eventIdOf(event));
  const versionId = parseVersionId(own(detail, "versionId"));
  return {
    kind: "change",
    change: {
      source,
      reason: "label-updated",
      ...withoutUndefined({ labels, versionId }),
      ...eventMetadata(event),
    },
  };
}
