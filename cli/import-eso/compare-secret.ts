import type { LiveSecret } from "../../shared/cluster/live-secret.ts";
import { isRelayKey } from "../../shared/identity/relay-identity.ts";
import type { DesiredSecret } from "../../shared/render/render-secret.ts";

/** One key of a Secret: in both, or in one only. No value, and nothing made from one, is in it. */
export type KeyVerdict = {
  readonly key: string;
  readonly is: "equal" | "different" | "missing" | "extra";
};

export type Comparison = {
  readonly keys: readonly KeyVerdict[];
  /** What is not data: `type`, or a label or annotation of the binding that the Secret has otherwise. */
  readonly around: readonly string[];
};

/**
 * The Secret that is there with the one that the binding would make. Pure. `missing` is a key that only the binding makes,
 * `extra` one that only the Secret has. The relay's own notes are not compared: they are not there yet.
 */
export function compareSecret(live: LiveSecret, desired: DesiredSecret): Comparison {
  const names = [...new Set([...live.data.keys(), ...desired.data.keys()])].sort();
  const keys = names.map((key): KeyVerdict => {
    const [there, wanted] = [live.data.get(key), desired.data.get(key)];
    if (there === undefined) return { key, is: "missing" };
    if (wanted === undefined) return { key, is: "extra" };
    return { key, is: there.equals(wanted) ? "equal" : "different" };
  });
  const differing = (
    kind: string,
    wanted: Readonly<Record<string, string>>,
    there: Readonly<Record<string, string>>,
  ) =>
    Object.entries(wanted)
      .filter(([name, value]) => !isRelayKey(name) && there[name] !== value)
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
