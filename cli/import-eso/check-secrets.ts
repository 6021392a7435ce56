import pMap from "p-map";
import { assess } from "../../shared/assess/assess.ts";
import { liveTarget } from "../../shared/assess/observation.ts";
import type { Verdict } from "../../shared/assess/verdict.ts";
import type { Binding, TargetRef } from "../../shared/bindings/binding.ts";
import { isRelayKey } from "../../shared/bindings/relay-identity.ts";
import type { LiveSecret } from "../../shared/cluster/live-secret.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { DesiredSecret } from "../../shared/render/render-secret.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { stateOfRead } from "../../shared/source/state-of-read.ts";
import { unknownTarget } from "../../shared/sweep/observe-metadata.ts";
import { renderCurrent } from "../../shared/sync/render-current.ts";
import { toRelayError } from "../errors.ts";
import type { Session } from "../live/open-session.ts";
import type { ReportProgress } from "../terminal/progress.ts";
import { externalSecretFinder, type FindExternalSecret } from "./find-external-secret.ts";
import type { NoteCode } from "./notes.ts";
import { type SettledNote, settleNotes } from "./settle-notes.ts";
import { type Takeover, takeoverOf } from "./takeover.ts";

/** The comparison of one key. It contains no value and nothing derived from one. */
type KeyVerdict = {
  readonly key: string;
  readonly is: "equal" | "different" | "missing" | "extra";
};

type Comparison = {
  readonly keys: readonly KeyVerdict[];
  /** Differences outside data: `type`, labels and annotations of the binding. */
  readonly around: readonly string[];
};

/** The comparison of one Secret with the result of its binding, and the verdict that every other command shows for it. */
export type SecretCheck = Pick<Verdict, "target" | "finding" | "action" | "code" | "advice"> &
  /** Only for a Secret that the operator or the relay writes. */
  Partial<Takeover> & {
    /** The value notes of the conversion, settled. */
    readonly notes: readonly SettledNote[];
  } & (
    | ({ readonly is: "same" | "different" } & Comparison)
    | { readonly is: "absent" }
    /** Not compared, for the reason in `code`. */
    | { readonly is: "unknown" }
  );

type CheckDependencies = Pick<
  Session,
  "index" | "connect" | "readCurrent" | "source" | "now" | "targetsAtOnce"
> & {
  /** Whether the published bindings contain the Secret; undefined: unknown. */
  readonly isPublished: (target: TargetRef) => Promise<boolean | undefined>;
};

/** Reads each Secret and its sources, and writes nothing. */
export function checkSecrets(
  session: CheckDependencies,
  budget: TimeBudget,
  reportProgress: ReportProgress,
  notesOf: (target: TargetRef) => readonly NoteCode[],
): Promise<SecretCheck[]> {
  const { bindings } = session.index;
  const findExternalSecret = externalSecretFinder(session.connect, budget);
  let done = 0;
  return pMap(
    bindings,
    async (binding) => {
      const deps = { ...session, findExternalSecret };
      const checked = await checkOne(deps, binding, budget, notesOf(binding.target));
      done += 1;
      reportProgress(`${done} of ${bindings.length} Secrets`);
      return checked;
    },
    { concurrency: session.targetsAtOnce },
  );
}

async function checkOne(
  deps: CheckDependencies & { readonly findExternalSecret: FindExternalSecret },
  binding: Binding,
  budget: TimeBudget,
  codes: readonly NoteCode[],
): Promise<SecretCheck> {
  const { index, connect, readCurrent, now } = deps;
  const { target } = binding;
  const live = await connect(target.cluster).readSecret(target, budget).then(liveTarget, unknownTarget);
  const read = await Promise.all(
    binding.sources.map(async (source) => {
      const value = await readCurrent(source, budget).catch(toRelayError);
      return { value, state: await stateOfRead(source, value, () => deps.source.describe(source, budget)) };
    }),
  );
  const reads = read.map(({ value }) => value);
  const desired = await renderCurrent(binding, reads, index.ownMetadata);
  const observation = { binding, live, sources: read.map(({ state }) => state), ...(desired && { desired }) };
  // A check deletes nothing, so the grace period does not matter.
  const verdict = assess(observation, { ownMetadata: index.ownMetadata, now: now(), deletionGraceMs: 0 });
  const unchecked =
    binding.type === "Opaque"
      ? desired
      : await renderCurrent({ ...binding, type: "Opaque" }, reads, index.ownMetadata);
  const settle = (isSame: boolean) => settleNotes(codes, { binding, reads, desired, unchecked, isSame });
  const common = { ...fieldsOf(verdict), notes: settle(false) };
  if (live.kind === "unknown") return { ...common, is: "unknown" };
  const isUnknown = desired === undefined || desired instanceof RelayError;
  if (live.kind === "absent") return { ...common, is: isUnknown ? "unknown" : "absent" };
  const compared = isUnknown ? UNKNOWN : resultOf(live.secret as LiveSecret, desired, binding);
  const { ownMetadata } = index;
  const isSame = compared.is === "same";
  const externalSecret = await deps.findExternalSecret(target);
  const judge = (isPublished?: boolean) =>
    takeoverOf(live.secret, externalSecret, { ownMetadata, isSame, isPublished });
  const judged = judge();
  const takeover = judged?.step === "owned" ? judge(await deps.isPublished(target)) : judged;
  if (compared.is === "unknown") return { ...common, ...takeover, ...compared };
  const notes = settle(compared.keys.every(({ is }) => is === "equal"));
  return { ...common, ...takeover, ...compared, notes };
}

const UNKNOWN = { is: "unknown" } as const;

function resultOf(live: LiveSecret, desired: DesiredSecret, { ownership }: Binding) {
  const { keys, around } = compareSecret(live, desired);
  // With ownership: keys, other field managers write keys of the same Secret.
  const counted = ownership === "keys" ? keys.filter(({ is }) => is !== "extra") : keys;
  const isSame = counted.every(({ is }) => is === "equal") && around.length === 0;
  return { is: isSame ? ("same" as const) : ("different" as const), keys: counted, around };
}

function fieldsOf({ target, finding, action, code, advice }: Verdict) {
  return {
    target,
    finding,
    action,
    ...(code !== undefined && { code }),
    ...(advice !== undefined && { advice }),
  };
}

/**
 * Compares the live Secret with the result of the binding. Pure. Only the binding has a `missing` key, and only the
 * Secret an `extra` one. The relay's own annotations and labels are not compared, because they do not exist yet.
 */
function compareSecret(live: LiveSecret, desired: DesiredSecret): Comparison {
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
