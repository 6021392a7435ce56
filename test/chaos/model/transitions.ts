import {
  deleted,
  FOREIGN,
  generationsOf,
  landed,
  orphanDeleted,
  rulesLanded,
  type Violation,
} from "./invariants.ts";
import type { Invocation, Live, Observed, Protocol, Scope, Sent, State } from "./state.ts";

export type Transition = {
  readonly actor: string;
  readonly action: string;
  readonly next: State;
  readonly violation?: Violation;
};

/** All possible next states. Pure. */
export function transitionsFrom(scope: Scope, protocol: Protocol, state: State): Transition[] {
  const model = { scope, protocol, state };
  return [
    ...worldTransitions(model),
    ...state.invocations.flatMap((invocation, index) => invocationTransitions(model, invocation, index)),
  ];
}

export function initialState(scope: Scope): State {
  const { versions, isBoundBefore, invocations, budget } = scope;
  const version = versions[0] ?? "";
  return {
    current: 0,
    rules: 0,
    staleFrom: 0,
    live: isBoundBefore
      ? {
          version,
          reached: 0,
          isFresh: false,
          writtenAt: 0,
          rules: generationsOf(scope)[0] ?? "",
          rulesReached: 0,
        }
      : null,
    invocations: invocations.map(() => FRESH_ATTEMPT),
    left: budget,
  };
}

type Model = { readonly scope: Scope; readonly protocol: Protocol; readonly state: State };

const FRESH_ATTEMPT: Invocation = {
  step: "wait",
  seen: null,
  version: "",
  wasStale: false,
  isSuspect: false,
  known: 0,
  checked: "not yet",
  looked: 0,
  conflicts: 0,
  confirmations: 0,
  rereads: 0,
  orphan: null,
};

function worldTransitions({ scope, state }: Model): Transition[] {
  const { current, staleFrom, live, left } = state;
  const transitions: Transition[] = [];
  const happens = (action: string, next: Partial<State>, cost?: keyof State["left"]): void => {
    const spent = cost === undefined ? left : { ...left, [cost]: left[cost] - 1 };
    transitions.push({ actor: "world", action, next: { ...state, ...next, left: spent } });
  };
  if (current + 1 < scope.versions.length) happens("AWSCURRENT moves", { current: current + 1 });
  if (state.rules + 1 < generationsOf(scope).length)
    happens("newer bindings are published", { rules: state.rules + 1 });
  if (staleFrom < current) happens("the replicas catch up", { staleFrom: current });
  if (live !== null && left.deletions > 0) {
    happens(
      "an operator deletes the Secret",
      { live: null, invocations: seenAfterDeletion(state) },
      "deletions",
    );
  }
  if (live === null && left.foreign > 0) {
    const foreign: Live = {
      version: FOREIGN,
      reached: 0,
      isFresh: false,
      writtenAt: current,
      rules: "",
      rulesReached: 0,
    };
    happens("an operator creates a Secret with that name", { live: foreign }, "foreign");
  }
  if (live?.isFresh && left.minutes > 0 && staleFrom >= live.writtenAt) {
    const aged = state.invocations.map((one) =>
      one.seen?.kind === "live" ? { ...one, seen: { ...one.seen, isFresh: false } } : one,
    );
    happens("a minute passes", { live: { ...live, isFresh: false }, invocations: aged }, "minutes");
  }
  return transitions;
}

function invocationTransitions(model: Model, invocation: Invocation, index: number): Transition[] {
  const { scope, state } = model;
  const actor = NAMES[index] ?? "";
  const transitions: Transition[] = [];
  const goes = (
    action: string,
    changed: Partial<Invocation>,
    rest: Partial<State> = {},
    violation?: Violation,
  ) => {
    const base = rest.invocations ?? state.invocations;
    const invocations = base.map((one, at) => (at === index ? { ...one, ...changed } : one));
    const next = { ...state, ...rest, invocations };
    transitions.push({ actor, action, next, ...(violation && { violation }) });
  };

  if (invocation.orphan !== null) {
    const { orphan } = invocation;
    const result = apply(model, orphan);
    const rest = result.isApplied ? { live: result.live, invocations: result.invocations } : {};
    goes("'s orphaned apply arrives", { orphan: null }, rest, result.violation);
  }
  const isRunning = RUNNING.has(invocation.step);
  if (isRunning && state.left.crashes > 0) {
    const left = { ...state.left, crashes: state.left.crashes - 1 };
    goes(
      "is killed, and invoked again",
      { ...attemptBy(model, state.rules), orphan: invocation.orphan },
      { left },
    );
    if (
      invocation.step === "apply" &&
      invocation.seen !== null &&
      left.orphans > 0 &&
      invocation.orphan === null
    ) {
      const { seen, version, known } = invocation;
      const orphan = { seen, version, known };
      const rest = { left: { ...left, orphans: left.orphans - 1 } };
      goes("is killed with its apply on the way", { ...attemptBy(model, state.rules), orphan }, rest);
    }
  }

  switch (invocation.step) {
    case "wait":
      if ((scope.invocations[index]?.for ?? 0) <= state.current)
        // By a new environment, or by one that has known its rules since the start.
        for (const known of new Set([0, state.rules])) goes("is invoked", attemptBy(model, known));
      break;
    case "read-live": {
      const seen = lookAt(state.live);
      if (model.protocol === "source before live") {
        goes("reads the live Secret", decide(model, { ...invocation, seen }, index));
      } else
        goes("reads the live Secret", {
          step: isUnboundBy(model, invocation) ? orphanStep(model, seen) : "read-source",
          seen,
          confirmations: 0,
          rereads: 0,
          isSuspect: false,
          checked: model.protocol === "pointer before live" ? invocation.checked : "not yet",
          looked: state.rules,
        });
      break;
    }
    case "read-rules":
    case "read-source":
      if (invocation.checked === "not yet" && hasGenerations(scope)) {
        for (const { action, next, left } of pointerReads(model, invocation, index))
          goes(action, next, { left });
      }
      if (invocation.step === "read-rules") break;
      for (const { position, left, isStale } of reads(model, invocation)) {
        const read = { ...invocation, wasStale: isStale };
        const next = believe(model, read, versionAt(scope, position), index);
        goes(isStale ? `reads AWSCURRENT, stale: ${versionAt(scope, position)}` : "reads AWSCURRENT", next, {
          left,
        });
      }
      break;
    case "delete": {
      const { live } = state;
      const { seen } = invocation;
      if (seen === null) break;
      const create = { step: "apply" as const, seen: ABSENT };
      if (live === null) {
        goes("finds nothing to delete", create); // 404: the Secret to delete is gone
        break;
      }
      const isLet = model.protocol === "deletes without a precondition" || isUnchanged(seen);
      if (!isLet) {
        goes("deletes, and gets 409", startAgain(model, invocation));
        break;
      }
      const rest = { live: null, invocations: seenAfterDeletion(state) };
      goes("deletes the Secret that it has read", create, rest, deleted(live, seen));
      break;
    }
    case "apply": {
      const { seen, version } = invocation;
      if (seen === null) break;
      const { known } = invocation;
      const result = apply(model, { seen, version, known });
      if (!result.isApplied) {
        goes("applies, and gets 409", startAgain(model, invocation));
        break;
      }
      const rest = { live: result.live, invocations: result.invocations };
      const isCreate = seen.kind === "absent";
      const step = isCreate && model.protocol !== "no check after the create" ? "check" : "done";
      goes("applies", { step }, rest, result.violation);
      if (state.left.lostAnswers > 0) {
        const left = { ...state.left, lostAnswers: state.left.lostAnswers - 1 };
        // The HTTP client repeats it, and meets its own first write.
        goes(
          "applies, gets no response, applies again, and gets 409",
          startAgain(model, invocation),
          { ...rest, left },
          result.violation,
        );
      }
      break;
    }
    case "check":
      for (const { position, left, isStale } of reads(model, invocation)) {
        const isRight = versionAt(scope, position) === invocation.version;
        const isRuled = hasGenerations(scope) && model.protocol !== "no pointer read after the create";
        const end = isRight ? { step: "done" as const } : startAgain(model, invocation);
        const next = isRuled ? { step: "check-rules" as const, isSuspect: !isRight } : end;
        goes(
          isStale ? `checks AWSCURRENT, stale: ${versionAt(scope, position)}` : "checks AWSCURRENT",
          { ...next, wasStale: isStale },
          { left },
        );
      }
      break;
    case "check-rules": {
      const isInForce = { ...invocation, step: "done" as const, isSuspect: false };
      const end = invocation.isSuspect ? startAgain(model, invocation) : isInForce;
      for (const { action, answer, left } of pointerAnswers(model, invocation)) {
        const isDoubtful = answer === "unknown" && model.protocol !== "unknown rules after a create believed";
        // Lambda retries an invocation that failed, in the same environment.
        const again = answer === "superseded" ? state.rules : invocation.known;
        const next = answer === "superseded" || isDoubtful ? attemptBy(model, again) : end;
        goes(`checks: ${action}`, next, { left });
      }
      break;
    }
    case "delete-orphan": {
      const { live } = state;
      const { seen, looked } = invocation;
      if (live === null || seen === null) goes("finds nothing to delete", { step: "unbound" });
      else if (!isUnchanged(seen)) goes("deletes, and gets 409", startAgain(model, invocation));
      else {
        const rest = { live: null, invocations: seenAfterDeletion(state) };
        const violation = deleted(live, seen) ?? orphanDeleted(scope, state, looked);
        goes("deletes the Secret without a binding", { step: "unbound" }, rest, violation);
      }
      break;
    }
    case "unbound":
    case "done":
    case "refused":
    case "failed":
      break;
  }
  return transitions;
}

const NAMES = ["A", "B", "C"];

const RUNNING: ReadonlySet<Invocation["step"]> = new Set([
  ...(["read-live", "read-source", "read-rules", "delete", "apply"] as const),
  ...(["check", "check-rules", "delete-orphan"] as const),
]);

const hasGenerations = (scope: Scope): boolean => generationsOf(scope).length > 1;

const lettersOf = (scope: Scope, { known }: Pick<Invocation, "known">): string =>
  generationsOf(scope)[known] ?? "";

const isUnboundBy = ({ scope }: Model, invocation: Invocation): boolean =>
  lettersOf(scope, invocation) === "-";

/** A new attempt by these rules, as after a kill, or when newer ones are in force. */
function attemptBy(model: Model, known: number): Partial<Invocation> {
  const { orphan: _kept, ...fresh } = FRESH_ATTEMPT;
  const isFirst = model.protocol === "pointer before live" && hasGenerations(model.scope);
  return { ...fresh, step: isFirst ? "read-rules" : firstStep(model), known };
}

/** A sweep deletes what has no binding, after a look at the pointer; a rotation only looks at the pointer. */
function orphanStep({ protocol }: Model, seen: Observed): Invocation["step"] {
  if (seen.kind === "absent" || (seen.kind === "live" && seen.version === FOREIGN)) return "unbound";
  return protocol === "deletes without a pointer read" ? "delete-orphan" : "read-rules";
}

type PointerAnswer = "in-force" | "superseded" | "unknown";

/** What S3 may answer to a read of the pointer. */
function pointerAnswers(
  { protocol, state }: Model,
  { known }: Invocation,
): { readonly action: string; readonly answer: PointerAnswer; readonly left: State["left"] }[] {
  const { rules, left } = state;
  const isNewer = known !== rules && protocol !== "newer rules ignored";
  const answered = {
    action: known === rules ? "reads the pointer" : "reads the pointer, which is a newer one",
    answer: isNewer ? ("superseded" as const) : ("in-force" as const),
    left,
  };
  if (left.unanswered === 0) return [answered];
  const isBelieved = protocol === "unknown rules taken for the ones in force";
  const silent = {
    action: "gets no answer from S3",
    answer: isBelieved ? ("in-force" as const) : ("unknown" as const),
    left: { ...left, unanswered: left.unanswered - 1 },
  };
  return [answered, silent];
}

/** The step after a read of the pointer, which may come before, between or after the reads of the source. */
function pointerReads(
  model: Model,
  invocation: Invocation,
  index: number,
): { readonly action: string; readonly next: Partial<Invocation>; readonly left: State["left"] }[] {
  return pointerAnswers(model, invocation).map(({ action, answer, left }) => {
    if (answer === "superseded") return { action, next: attemptBy(model, model.state.rules), left };
    const checked = { checked: answer };
    if (invocation.step !== "read-rules") return { action, next: checked, left };
    if (invocation.seen === null) return { action, next: { ...checked, step: "read-live" as const }, left };
    return { action, next: { ...checked, ...decide(model, { ...invocation, ...checked }, index) }, left };
  });
}

const ABSENT: Observed = { kind: "absent" };

const isUnchanged = (seen: Observed): boolean => seen.kind === "live" && seen.since === "same";

const firstStep = ({ protocol }: Model): "read-live" | "read-source" =>
  protocol === "source before live" ? "read-source" : "read-live";

function versionAt({ versions }: Scope, position: number): string {
  return versions[position] ?? "";
}

function lookAt(live: Live | null): Observed {
  if (live === null) return { kind: "absent" };
  const { version, rules, isFresh, writtenAt } = live;
  return { kind: "live", version, rules, isFresh, writtenAt, since: "same" };
}

type Read = { readonly position: number; readonly isStale: boolean; readonly left: State["left"] };

/** The possible responses to a read of AWSCURRENT: the current version, or the version of a lagging replica. */
function reads({ scope, state }: Model, { wasStale }: Invocation): Read[] {
  const { current, staleFrom, left } = state;
  const fresh: Read = { position: current, isStale: false, left };
  const mayBeStale = left.staleReads > 0 && (scope.staleInARow === 2 || !wasStale);
  const stale = { ...left, staleReads: left.staleReads - 1 };
  const behind = mayBeStale ? Array.from({ length: current - staleFrom }, (_, at) => staleFrom + at) : [];
  return [fresh, ...behind.map((position): Read => ({ position, isStale: true, left: stale }))];
}

/** The step after a response of Secrets Manager: another read, or the decision. */
function believe(model: Model, invocation: Invocation, version: string, index: number): Partial<Invocation> {
  const { scope, protocol } = model;
  const { isTold = false, for: position = 0 } = scope.invocations[index] ?? {};
  const { seen, rereads, confirmations, isSuspect, wasStale } = invocation;
  const isExpected = !isTold || version === versionAt(scope, position);
  if (!isSuspect && !isExpected && rereads < scope.rereadsMax)
    return { rereads: rereads + 1, wasStale, version };
  if (protocol === "source before live") return { step: "read-live", version, wasStale };
  const isConfirmed = isSuspect && version === invocation.version;
  const replacesFresh = seen?.kind === "live" && seen.isFresh && seen.version !== version;
  const mustConfirm = protocol !== "no confirming read" && replacesFresh && !isConfirmed;
  if (mustConfirm && confirmations < scope.confirmationsMax) {
    return { isSuspect: true, confirmations: confirmations + 1, version, wasStale };
  }
  if (mustConfirm && protocol !== "trusts an unconfirmed read") return { step: "failed", version, wasStale };
  if (hasGenerations(scope) && invocation.checked === "not yet")
    return { step: "read-rules", version, wasStale };
  return { wasStale, ...decide(model, { ...invocation, version }, index) };
}

/** The plan: refuse a Secret of another owner, leave what is right, apply the rest. */
function decide(model: Model, invocation: Invocation, index: number): Partial<Invocation> {
  const { scope, protocol } = model;
  const { seen, version, checked } = invocation;
  const letter = lettersOf(scope, invocation);
  if (isUnboundBy(model, invocation)) {
    const isSweep = scope.invocations[index]?.isSweep ?? false;
    if (checked === "unknown" && isSweep) return { step: "failed" }; // there will be another sweep
    return { step: isSweep && seen?.kind === "live" ? "delete-orphan" : "unbound" };
  }
  const isByKnownRules = seen?.kind === "live" && seen.rules === letter && !scope.isImmutable;
  const isForeignOne = seen?.kind === "live" && seen.version === FOREIGN;
  // Lambda retries it.
  if (checked === "unknown" && !isByKnownRules && !isForeignOne) return attemptBy(model, invocation.known);
  if (seen?.kind !== "live" || seen.version !== version || seen.rules !== letter) {
    const isForeign = seen?.kind === "live" && seen.version === FOREIGN;
    if (isForeign && protocol !== "overwrites another owner's Secret")
      return { step: "refused", seen, version };
    return { step: seen?.kind === "live" && scope.isImmutable ? "delete" : "apply", seen, version };
  }
  const { isTold = false, for: move = 0 } = scope.invocations[index] ?? {};
  // Written before the label came back to it: another invocation may be about to write the version in between.
  const isToldSo = isTold && version === versionAt(scope, move) && seen.writtenAt < move;
  const isBackAgain = isToldSo && protocol !== "leaves without a fence";
  return { step: isBackAgain ? "apply" : "done", seen, version };
}

function startAgain(model: Model, { conflicts }: Invocation): Partial<Invocation> {
  if (model.protocol === "a lost fence treated as success") return { step: "done" };
  return conflicts + 1 > model.scope.conflictsMax
    ? { step: "failed", conflicts: conflicts + 1 }
    : {
        step: attemptBy(model, 0).step ?? firstStep(model),
        conflicts: conflicts + 1,
        seen: null,
        checked: "not yet",
      };
}

type Applied =
  | { readonly isApplied: false; readonly violation?: undefined }
  | {
      readonly isApplied: true;
      readonly live: Live;
      readonly invocations: readonly Invocation[];
      readonly violation?: Violation;
    };

/** The API server's side of the fence, as one atomic step. */
function apply({ scope, protocol, state }: Model, { seen, version, known }: Sent): Applied {
  const { live } = state;
  const isLet =
    protocol === "fence off" ||
    (seen.kind === "absent"
      ? live === null || protocol === "unconditional create"
      : seen.since === "same" || (protocol === "no uid in the fence" && live === null));
  if (!isLet) return { isApplied: false };
  const judged = landed(scope, state, { seen, version });
  const rules = lettersOf(scope, { known });
  const { rulesReached, ...ruled } = rulesLanded(scope, state, rules);
  const violation = judged.violation ?? ruled.violation;
  const written: Live = {
    version,
    reached: judged.reached,
    isFresh: true,
    writtenAt: state.current,
    rules,
    rulesReached,
  };
  return {
    isApplied: true,
    live: written,
    invocations: seenAfterWrite(state),
    ...(violation && { violation }),
  };
}

function seenAfterWrite({ invocations }: State): Invocation[] {
  return invocations.map((one) => changeSeen(one, (since) => (since === "same" ? "written" : since)));
}

function seenAfterDeletion({ invocations }: State): Invocation[] {
  return invocations.map((one) => changeSeen(one, () => "deleted"));
}

type Since = Extract<Observed, { kind: "live" }>["since"];

function changeSeen(invocation: Invocation, change: (since: Since) => Since): Invocation {
  const changed = (seen: Observed): Observed =>
    seen.kind === "live" ? { ...seen, since: change(seen.since) } : seen;
  const { seen, orphan } = invocation;
  return {
    ...invocation,
    seen: seen && changed(seen),
    orphan: orphan && { ...orphan, seen: changed(orphan.seen) },
  };
}
