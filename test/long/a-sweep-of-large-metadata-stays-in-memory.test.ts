import { describe, it } from "vitest";
import { sweepLargeMetadata } from "../sweep/sweep-large-metadata.ts";
import { useSweepScene } from "../sweep/sweep-scene.ts";

const scene = useSweepScene();

describe("a sweep of large metadata finishes within its heap, and compares every Secret", () => {
  it.each([
    // The sandbox takes minutes to print more of these: each annotation has an entry in managedFields.
    { it: "of 600 with 32 kB of annotations and managedFields", count: 600, annotations: 1_450, heapMB: 110 },
    { it: "of 4,000 with an annotation of 32 kB", count: 4_000, annotationBytes: 32_000, heapMB: 450 },
    { it: "of 200 with an annotation of 250 kB", count: 200, annotationBytes: 250_000, heapMB: 450 },
    {
      it: "of 30 with 10,000 annotations and as many entries in managedFields",
      count: 30,
      annotations: 10_000,
      heapMB: 450,
    },
    { it: "of 10,000 that are small", count: 10_000, heapMB: 450 },
  ])("$it", ({ it: _title, ...large }) => sweepLargeMetadata(scene, large));
});
