import { it } from "vitest";
import { sweepLargeMetadata } from "./sweep-large-metadata.ts";
import { useSweepScene } from "./sweep-scene.ts";

const scene = useSweepScene();

/** The memory is measured with more Secrets in test/long. */
it("compares Secrets whose list exceeds the limit of a response, in a small heap", async () => {
  await sweepLargeMetadata(scene, { count: 120, annotationBytes: 200_000, heapMB: 60 });
}, 60_000);
