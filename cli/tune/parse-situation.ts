import { parseDuration } from "../terminal/parse-duration.ts";
import { KNOWN } from "./known-numbers.ts";
import { type Load, loadOfNumbers } from "./load.ts";
import type { Situation } from "./situation.ts";

/** The flags of `tune` as they were typed. */
export type TuneFlags = Readonly<
  Partial<
    Record<
      | "secrets"
      | "namespaces"
      | "targets"
      | "clusters"
      | "interval"
      | "sweepInterval"
      | "rotateEvery"
      | "credentialLife"
      | "eventLoss"
      | "deliveryDelay"
      | "pollFailures"
      | "tolerate",
      string
    >
  >
>;

/** What is reckoned where nothing is said. Assumptions, and not measured anywhere but where it says so. */
export const DEFAULTS = {
  /** What External Secrets Operator takes for an ExternalSecret that names none. */
  interval: "1h",
  /** MetadataSweepSchedule of template.yaml. */
  sweepInterval: "5m",
  rotateEvery: "30d",
  /** IRSA's default; see known-numbers.ts. */
  credentialLife: "1h",
  eventLoss: "0.1%",
  /** EventBridge, at times a cold start, and the write. */
  deliveryDelay: "2s",
  pollFailures: "0%",
  tolerate: "15m",
} as const;

export type ParsedSituation =
  | { readonly kind: "parsed"; readonly situation: Situation }
  | { readonly kind: "wrong"; readonly problems: readonly string[] };

/** Reports every wrong flag. `ofBindings` is the load of the bindings, if they are used. */
export function parseSituation(flags: TuneFlags, ofBindings?: Load): ParsedSituation {
  const problems: string[] = [];
  const read = readerOf(flags, problems);
  const load = ofBindings ?? loadOfFlags(flags, read, problems);
  const situation: Situation = {
    load,
    intervalMs: read.duration("interval", SECOND, YEAR),
    sweepIntervalMs: read.duration("sweepInterval", SECOND, YEAR),
    rotateEveryMs: read.duration("rotateEvery", SECOND, 10 * YEAR),
    credentialLifeMs: read.duration("credentialLife", SECOND, YEAR),
    eventLoss: read.share("eventLoss", 1),
    deliveryDelayMs: read.duration("deliveryDelay", 0, YEAR),
    // If all polls failed, no value would ever arrive.
    pollFailures: read.share("pollFailures", 0.99),
    toleratedMs: read.duration("tolerate", SECOND, YEAR),
  };
  return problems.length > 0 ? { kind: "wrong", problems } : { kind: "parsed", situation };
}

const SECOND = 1_000;
const YEAR = 365 * 86_400_000;
/** Larger numbers would lose precision, and no account has so many targets. */
const TARGETS_MAX = 100_000_000;

function loadOfFlags(flags: TuneFlags, read: Reader, problems: string[]): Load {
  const secrets = read.count("secrets", KNOWN.secretsQuota.value, 1);
  const namespaces = read.count("namespaces", 100_000, 1);
  const clusters = read.count("clusters", 1_000, 1);
  const targets = read.count("targets", TARGETS_MAX, secrets * namespaces);
  if (flags.targets !== undefined && flags.namespaces !== undefined) {
    problems.push("--targets and --namespaces exclude each other. Use one of them");
  } else if (secrets > 0 && targets > 0 && targets < secrets) {
    problems.push(
      `--targets is less than --secrets: every secret has at least one. Write ${secrets} or more`,
    );
  } else if (targets > TARGETS_MAX) {
    problems.push(`--secrets times --namespaces is more than ${TARGETS_MAX}. Give --targets`);
  }
  return loadOfNumbers({ secrets, namespaces, targets, clusters });
}

type Reader = ReturnType<typeof readerOf>;

function readerOf(flags: TuneFlags, problems: string[]) {
  const flagOf = (name: keyof TuneFlags): string =>
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return {
    duration(name: keyof TuneFlags & keyof typeof DEFAULTS, minMs: number, maxMs: number): number {
      const ms = parseDuration(flags[name] ?? DEFAULTS[name]);
      if (ms === undefined || ms < minMs || ms > maxMs) {
        problems.push(
          `${flagOf(name)} must be from ${minMs / SECOND}s to ${maxMs / 86_400_000}d. Write it like ${DEFAULTS[name]}`,
        );
        return minMs;
      }
      return ms;
    },
    /** `0.1%` or `0.001`. */
    share(name: "eventLoss" | "pollFailures", max: number): number {
      const match = /^(\d{1,3}(?:\.\d{1,9})?)(%?)$/.exec(flags[name] ?? DEFAULTS[name]);
      const value = Number(match?.[1]) / (match?.[2] === "%" ? 100 : 1);
      if (match === null || value > max) {
        problems.push(`${flagOf(name)} must be from 0% to ${max * 100}%. Write it like ${DEFAULTS[name]}`);
        return 0;
      }
      return value;
    },
    count(name: "secrets" | "namespaces" | "targets" | "clusters", max: number, otherwise: number): number {
      const text = flags[name];
      if (text === undefined) return otherwise;
      if (!/^[1-9]\d{0,8}$/.test(text) || Number(text) > max) {
        problems.push(`${flagOf(name)} must be a whole number from 1 to ${max}. Write it like 200`);
        return 0;
      }
      return Number(text);
    },
  };
}
