import { isRelayKey } from "../../shared/bindings/relay-identity.ts";
import type { LiveSecret } from "../../shared/cluster/live-secret.ts";
import type { DesiredSecret } from "../../shared/render/render-secret.ts";

/** The comparison of one key. It contains no value and nothing derived from one. */
export type KeyVerdict = {
  readonly key: string;
  readonly is: "equal" | "different" | "missing" | "extra";
};

export type Comparison = {
  readonly keys: readonly KeyVerdict[];
  /** Differences outside data: `type`, labels and annotations of the binding. */
  readonly around: readonly string[];
};

/**
 * Compares the live Secret with the result of the binding. Pure. Only the binding has a `missing` key, and only the
 * Secret an `extra` one. The relay's own annotations and labels are not compared, because they do not exist yet.
 */
export function compareSecret(live: LiveSecret, desired: DesiredSecret): Comparison {
  const names = [...new Set([...live.data.keys(), ...desired.data.keys()])].sort();
  const keys = names.map((key): KeyVerdict => {
    const [actual, expected] = [live.data.get(key), desired.data.get(key)];
    if (actual === undefined) return { key, is: "missing" };
    if (expected === undefined) return { key, is: "extra" };
    return { key, is: actual.equals(expected) ? "equal" : "different" };
  });
  const differing = (
    kind: string,
    expected: Readonly<Record<string, string>>,
    actual: Readonly<Record<string, string>>,
  ) =>
    Object.entries(expected)
      .filter(([name, value]) => !isRelayKey(name) && actual[name] !== value)
      .map(([name]) => `${kind} ${name}`);
  return {
    keys,
    around: [
      ...(live.type === desired.type ? [] : ["type"]),
      ...differing("label", desired.labels, live.labels),
      ...differing("annotation", desired.annotations, live.annotations),
    ],
  };
}
