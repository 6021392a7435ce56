import { expect } from "vitest";
import { buildFunction } from "../harness/build-function.ts";
import { type Drift, expectedFindings, foundBy, must, pathOf } from "../harness/fleet.ts";
import { startLambdaProcess } from "../harness/start-lambda-process.ts";
import type { SweepScene } from "./sweep-scene.ts";

export type LargeMetadata = {
  /** The length of one annotation. */
  readonly annotationBytes?: number;
  /** Annotations without text; each has an entry in managedFields. */
  readonly annotations?: number;
};

/**
 * Adds metadata to every Secret of a namespace, one in ten of them unbound, as another client with permission to write
 * Secrets could. Then sweeps twice in a process with that heap: nothing may be unknown.
 */
export async function sweepLargeMetadata(
  scene: SweepScene,
  { count, heapMB, ...large }: LargeMetadata & { readonly count: number; readonly heapMB: number },
): Promise<void> {
  const fleet = await scene.openFleet({ size: count, perNamespace: count, drifts: driftsOf(count, large) });
  const built = await buildFunction("reconcile");
  try {
    await fleet.drift();
    const env = { ...scene.sandbox.aws.env, BINDINGS_FILE: fleet.bindingsFile };
    const relay = await startLambdaProcess(built.handlerFile, env, { heapMB, keepsOutput: true });
    try {
      for (let sweeps = 1; sweeps <= 2; sweeps += 1) {
        const { answer, error } = await relay.invoke({ sweep: "metadata" });
        expect(error).toBeUndefined();
        const bound = fleet.members.filter(({ drift }) => !drift?.isUnbound).length;
        expect(answer).toMatchObject({ checked: bound, bindings: bound, orphansUnknown: [] });
        expect(answer && foundBy(answer)).toEqual(
          expectedFindings(fleet, ({ isUnbound, action }) => (isUnbound ? action : undefined)),
        );
      }
    } finally {
      await relay.stop();
    }
  } finally {
    await built.remove();
  }
}

function driftsOf(count: number, { annotationBytes = 0, annotations = 0 }: LargeMetadata): Drift[] {
  const names = Array.from({ length: annotations }, (_, at) => [`a${at}`, ""]);
  const act: Drift["act"] = ({ admin }, { binding }) =>
    must(admin, `${pathOf(binding.target)}?fieldManager=someone`, {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body: {
        metadata: { annotations: { ...Object.fromEntries(names), text: "x".repeat(annotationBytes) } },
      },
    });
  return Array.from({ length: count }, (_, at): Drift => {
    const isUnbound = at % 10 === 0;
    return { name: "large metadata", code: "ORPHAN", action: "none", isUnbound, act };
  });
}
