import { CommandError } from "../errors.ts";
import type { StoredPointer } from "./bindings-bucket.ts";

export class NothingPublished extends CommandError {
  readonly code = "NOTHING_PUBLISHED";
  constructor() {
    super("Nothing is published yet. Publish bindings.yaml: secret-relay publish.");
  }
}

export class GenerationNotFound extends CommandError {
  readonly code = "GENERATION_NOT_FOUND";
  constructor(generation: number) {
    super(`Generation ${generation} is not in the bucket. List them: secret-relay bindings history.`);
  }
}

/** Another publication replaced the pointer first. Nothing of this one is in force. */
export class PublishedMeanwhile extends CommandError {
  readonly code = "PUBLISHED_MEANWHILE";
  constructor(by: StoredPointer | undefined) {
    const who =
      by === undefined
        ? "The published bindings were removed meanwhile"
        : `${by.pointer.publishedBy} published generation ${by.pointer.generation} meanwhile`;
    super(`${who}, and nothing of yours is in force. Run the command again: it shows the new difference.`);
  }
}
