import type { SweepReport } from "../../shared/sweep/report.ts";
import type { CheckResult } from "../doctor/check-result.ts";
import type { LoggedRotation } from "./function-log.ts";
import type { Fault, HopName } from "./hops.ts";

/** The code and message of an error of ours, or of a target in a report. */
export type Why = { readonly code: string; readonly advice: string };

/** What is known of a rotation that `verify` did not see in the cluster. */
export type LostRotation = {
  /** The last error of reading the Secret. */
  readonly unread?: Why;
  /** Absent if the log says nothing. */
  readonly logged?: LoggedRotation;
  /** The rule of EventBridge. */
  readonly rule?: CheckResult;
  /** A direct call of the function for the same source. */
  readonly call: Called;
};

export type Called =
  | { readonly kind: "synced" }
  /** The function reports that it could not, or Lambda did not run it. `causes` has the codes of the function. */
  | { readonly kind: "failed"; readonly why: Why; readonly causes?: readonly string[] }
  | { readonly kind: "not-called" };

type Names = {
  readonly secret: string;
  readonly namespace: string;
  /** ` --stack-name NAME`, unless it is the default. */
  readonly stack: string;
  readonly seconds: number;
};

/** The first hop that failed. Pure. */
export function judgeRotation(lost: LostRotation, names: Names): Fault {
  const { unread, logged, rule, call } = lost;
  const { seconds, stack } = names;
  if (unread !== undefined) return faultAt("observed", unread, names);
  const hasEvent = logged?.eventAt !== undefined;
  if (!hasEvent && rule?.status === "wrong") return faultOfRule(rule, names);
  if (call.kind === "failed") {
    const code = call.causes?.[0] ?? logged?.failedWith ?? call.why.code;
    return faultAt(hopOf(code), { code, advice: call.why.advice }, names);
  }
  if (logged?.failedWith !== undefined) {
    const advice = `The function could not write the Secret (${logged.failedWith}).`;
    return faultAt(hopOf(logged.failedWith), { code: logged.failedWith, advice }, names);
  }
  if (hasEvent) {
    const says = `The function has the event, and did not write the Secret within ${seconds} s. A direct call wrote it.`;
    return { hop: "function", code: "FUNCTION_SLOW", says, next: `secret-relay redrive${stack}` };
  }
  const says = `No event reached the function within ${seconds} s.`;
  if (call.kind === "not-called") return { hop: "event", code: "EVENT_MISSING", says, next: doctor(stack) };
  return {
    hop: "event",
    code: "EVENT_MISSING",
    says: `${says} A direct call of the function wrote the Secret.`,
    next: doctor(stack),
  };
}

/**
 * What the log of the rotation function says of a rotation. A log without any line since the start, not even one of
 * Lambda, is `silent`: CloudWatch can deliver lines late, so it does not show that the event was lost.
 */
export type LogEvidence = LoggedRotation | "silent" | "unreadable";

/** What is known of a value that arrived. */
export type ArrivedRotation = {
  readonly log: LogEvidence;
  readonly rule?: CheckResult;
  /** The log of the reconcile function says that a sweep wrote the value. */
  readonly isWrittenBySweep: boolean;
};

/** The Secret has the value, but a sweep can have written it. Without the log, the other evidence decides. Pure. */
export function judgeArrival(
  { log, rule, isWrittenBySweep }: ArrivedRotation,
  names: Names,
): Fault | undefined {
  const isRead = typeof log === "object";
  if (isRead && log.eventAt !== undefined) return undefined;
  if (rule?.status === "wrong") return faultOfRule(rule, names);
  if (!isRead && !isWrittenBySweep) return undefined;
  const says = `No event reached the function. ${isWrittenBySweep ? "A sweep" : "Something else, probably a sweep,"} wrote the value.`;
  return { hop: "event", code: "EVENT_MISSING", says, next: doctor(names.stack) };
}

/** Why some times of a rotation that arrived are unknown. */
export type Note = { readonly code: string; readonly says: string };

/** Undefined if the log has all times. Pure. */
export function explainUnknownTimes(log: LogEvidence): Note | undefined {
  if (log === "unreadable") {
    const says =
      "The log of the rotation function could not be read, so some times are unknown. They need logs:FilterLogEvents.";
    return { code: "LOG_UNREADABLE", says };
  }
  if (log === "silent") {
    const says =
      "The log of the rotation function has no line since the rotation started, so some times are unknown. CloudWatch can deliver lines late. Nothing shows that the event was lost.";
    return { code: "LOG_SILENT", says };
  }
  if (log.functionAt !== undefined) return undefined;
  const says = "The log of the rotation function does not show the end of the rotation yet.";
  return { code: "LOG_INCOMPLETE", says };
}

function faultOfRule(rule: CheckResult, { stack }: Names): Fault {
  const { code = "RULE_WRONG", says, fix = doctor(stack), about = "" } = rule;
  return { hop: "event", code, says: `The rule ${about} is at fault: ${says}.`, next: fix };
}

/** What is known of an edit that was not repaired. */
export type LostRepair = {
  readonly unread?: Why;
  /** The report, or why there is none. */
  readonly sweep: SweepReport | (Why & { readonly causes?: readonly string[] });
};

/** Undefined if the sweep reports a repair that can still be under way. Pure. */
export function judgeSweep(sweep: LostRepair["sweep"], names: Names): Fault | undefined {
  if (!("targets" in sweep)) {
    const [cause] = sweep.causes ?? [];
    if (cause === "TaskUnknown") {
      const says = "The deployed reconcile function is older than this command.";
      return { hop: "sweep", code: "FUNCTION_OUTDATED", says, next: REDEPLOY };
    }
    const code = cause !== undefined && CODE.test(cause) ? cause : sweep.code;
    return faultAt("sweep", { code, advice: sweep.advice }, names);
  }
  const [row] = sweep.targets;
  if (row === undefined) {
    const says = "The deployed reconcile function has no such binding.";
    return { hop: "sweep", code: "NOT_BOUND_AS_DEPLOYED", says, next: doctor(names.stack) };
  }
  const { action, code = "", advice = "", outcome } = row;
  if (action === "unknown") return faultAt("sweep", { code, advice }, names);
  const isFailed = action === "refuse" || outcome === "refused" || outcome === "failed";
  if (isFailed) return faultAt("repair", { code, advice }, names);
  return undefined;
}

/** The edit is still there after the sweep. Pure. */
export function judgeRepair({ unread, sweep }: LostRepair, names: Names): Fault {
  if (unread !== undefined) return faultAt("repair", unread, names);
  const found = judgeSweep(sweep, names);
  if (found !== undefined) return found;
  const { secret, seconds, stack } = names;
  const [row] = "targets" in sweep ? sweep.targets : [];
  if (row?.finding === null) {
    const says = `The sweep reports that ${secret} is in order, although it was edited.`;
    return { hop: "sweep", code: "EDIT_NOT_FOUND", says, next: `secret-relay sweep --values --plan${stack}` };
  }
  const says = `The sweep reports that it repaired ${secret}, and the edit was still there after ${seconds} s. Something else writes it.`;
  return { hop: "repair", code: "EDIT_NOT_REPAIRED", says, next: showOwners(names) };
}

/** A fault with the command that shows or mends it. */
export function faultAt(hop: HopName, { code, advice }: Why, names: Names): Fault {
  return { hop, code, says: advice, next: nextFor(code, hop, names) };
}

function nextFor(code: string, hop: HopName, { secret, namespace, stack }: Names): string {
  if (hop === "observed" || hop === "edit" || hop === "source") return doctor(stack);
  if (code === "CLUSTER_FORBIDDEN") return `secret-relay rbac${stack} | kubectl apply -f -`;
  if (code === "NAMESPACE_MISSING") return `kubectl create namespace ${namespace}`;
  if (code === "HELD") return `secret-relay hold ${secret} --release`;
  if (code === "SOURCE_FORBIDDEN" || code === "SOURCE_NOT_DECRYPTED") {
    return `secret-relay iam --parameters${stack}, then sam deploy with these parameters`;
  }
  if (hop === "secret" && code.startsWith("CLUSTER_")) return doctor(stack);
  if (hop === "secret" || hop === "repair") return `secret-relay status ${secret}${stack}`;
  return doctor(stack);
}

/** What concerns the cluster stops the write of the Secret; the rest stops the function before it. */
const hopOf = (code: string): HopName => (OF_FUNCTION.test(code) ? "function" : "secret");

const OF_FUNCTION =
  /^(SOURCE_|BINDINGS_|RULES_|RELAY_|FUNCTION_|AWS_|CREDENTIALS_|NOT_BOUND_|UNEXPECTED_|UNRENDERABLE)|[a-z]/;

const CODE = /^[A-Z][A-Z_]+$/;
const REDEPLOY = "npm run build && sam build && sam deploy";
const doctor = (stack: string): string => `secret-relay doctor${stack}`;
const showOwners = ({ secret }: Names): string => {
  const [namespace, name] = secret.split("/");
  return `kubectl get secret ${name} --namespace ${namespace} --show-managed-fields -o jsonpath={.metadata.managedFields}`;
};
