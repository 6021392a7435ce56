import type { TargetRef } from "../../shared/bindings/binding.ts";
import type { FieldPath } from "../../shared/cluster/managed-fields.ts";

/** What a sync or a sweep would do with one target. Names only, never a value. */
export type PlannedTarget = {
  readonly target: TargetRef;
  readonly source: string;
  readonly action: PlannedAction;
  /** The finding that leads to it, or the code of the refusal or of why nothing is known. */
  readonly code?: string;
  readonly advice?: string;
  readonly keys: PlannedKeys;
  /** Labels, annotations and the like; the relay's own notes are left out. */
  readonly fields: readonly string[];
};

export type PlannedAction =
  | "create"
  | "update"
  /** Deleted and made anew, since it is immutable and its binding says so. */
  | "replace"
  | "delete"
  | "leave"
  | "refuse"
  /** It could not be looked at. */
  | "unknown";

export type PlannedKeys = {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** A plan by metadata: a new version came, and only its value tells whether this key differs. */
  readonly mayChange: readonly string[];
  /** The source decides which keys there are, and it was not read. */
  readonly areTheSources?: true;
};

export const NO_KEYS: PlannedKeys = { added: [], changed: [], removed: [], mayChange: [] };

export const isChange = ({ action }: PlannedTarget): boolean =>
  action === "create" || action === "update" || action === "replace" || action === "delete";

/** What the relay writes beside the data for itself; it changes with every write, and says nothing to a reviewer. */
export const isOwnNote = (field: FieldPath): boolean =>
  field.startsWith("metadata.annotations.secret-relay/");
