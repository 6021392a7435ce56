import { judgeEnd, type Violation } from "./invariants.ts";
import type { Protocol, Scope, State } from "./state.ts";
import { initialState, transitionsFrom } from "./transitions.ts";

export type Exploration = {
  /** Distinct states, all of them checked. */
  readonly states: number;
  readonly transitions: number;
  /** Steps from the start to the farthest state. */
  readonly depth: number;
  /** The shortest way to each kind of violation. */
  readonly counterexamples: ReadonlyMap<Violation, readonly string[]>;
};

type Node = {
  readonly state: State;
  readonly before: Node | undefined;
  readonly label: string;
  readonly depth: number;
};

/**
 * Every reachable state, breadth first, so that the first path to a violation is a shortest one. With `until` the walk
 * ends where that violation is found.
 */
export function explore(scope: Scope, protocol: Protocol = "as it is", until?: Violation): Exploration {
  const first: Node = { state: initialState(scope), before: undefined, label: "", depth: 0 };
  const seen = new Set([JSON.stringify(first.state)]);
  const counterexamples = new Map<Violation, readonly string[]>();
  let level: Node[] = [first];
  let transitions = 0;
  let depth = 0;
  const ended = (): Exploration => ({ states: seen.size, transitions, depth, counterexamples });
  while (level.length > 0) {
    const next: Node[] = [];
    for (const node of level) {
      depth = node.depth;
      for (const transition of transitionsFrom(scope, protocol, node.state)) {
        transitions += 1;
        const { actor, action, next: state, violation } = transition;
        const reached = { state, before: node, label: `${actor} ${action}`, depth: node.depth + 1 };
        const broken = violation ?? judgeEnd(scope, state);
        if (broken !== undefined && !counterexamples.has(broken))
          counterexamples.set(broken, traceOf(reached));
        if (until !== undefined && broken === until) return ended();
        const key = JSON.stringify(state);
        if (broken !== undefined || seen.has(key)) continue;
        seen.add(key);
        next.push(reached);
      }
    }
    level = next;
  }
  return ended();
}

function traceOf(node: Node): string[] {
  const labels: string[] = [];
  for (let at: Node | undefined = node; at?.before !== undefined; at = at.before) labels.push(at.label);
  return labels.reverse();
}
