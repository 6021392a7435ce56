import { describe, it } from "vitest";
import { sweepLargeMetadata } from "../sweep/sweep-large-metadata.ts";
import { useSweepScene } from "../sweep/sweep-scene.ts";

const scene = useSweepScene();

describe("a sweep with a heap of 450 MiB finishes, and compares every Secret", () => {
  it.each([
    { it: "of 4,000 with 32 kB of annotations and managedFields", count: 4_000, annotations: 1_450 },
    { it: "of 4,000 with an annotation of 32 kB", count: 4_000, annotationBytes: 32_000 },
    { it: "of 200 with an annotation of 250 kB", count: 200, annotationBytes: 250_000 },
    {
      it: "of 200 with 10,000 annotations and as many entries in managedFields",
      count: 200,
      annotations: 10_000,
    },
    { it: "of 10,000 that are small", count: 10_000 },
  ])("$it", (large) => sweepLargeMetadata(scene, { ...large, heapMB: 450 }));
});
