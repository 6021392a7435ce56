import { droppedEvent } from "./dropped-event.ts";
import { esoTrigger } from "./eso-trigger.ts";
import { expiredCredentials } from "./expired-credentials.ts";
import { forcedSync } from "./forced-sync.ts";
import { publish } from "./publish.ts";
import { rollout } from "./rollout.ts";
import { rotation } from "./rotation.ts";
import type { StoryStep } from "./story-step.ts";
import { tampering } from "./tampering.ts";

/** The steps of the story, in order. */
export const STEPS: readonly StoryStep[] = [
  rotation,
  droppedEvent,
  tampering,
  expiredCredentials,
  forcedSync,
  esoTrigger,
  publish,
  rollout,
];
