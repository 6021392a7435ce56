import { dataVersionOf } from "../render/data-version.ts";
import type { SourceState } from "../source/source-state.ts";

/** What the sources of one binding come to together: current when all of them are, otherwise what the first other one is. */
export function combineSourceStates(states: readonly SourceState[]): SourceState {
  const [only, ...others] = states;
  if (only !== undefined && others.length === 0) return only;
  const notCurrent = states.find(({ kind }) => kind !== "current");
  if (notCurrent !== undefined) return notCurrent;
  const current = states.filter((state) => state.kind === "current");
  const changes = current.flatMap(({ changedAt }) => (changedAt === undefined ? [] : [changedAt]));
  return {
    kind: "current",
    versionId: dataVersionOf(current.map(({ versionId }) => versionId)),
    ...(changes.length > 0 && { changedAt: Math.max(...changes) }),
  };
}
