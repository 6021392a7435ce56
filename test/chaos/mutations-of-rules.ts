import { setTimeout as sleep } from "node:timers/promises";
import type { ReconcileDependencies } from "../../functions/reconcile/dependencies.ts";
import type { RotationDependencies } from "../../functions/rotation/dependencies.ts";
import type { RulesCheck } from "../../shared/bindings/published/rules.ts";
import type { LiveSecret } from "../../shared/cluster/live-secret.ts";
import { startTimeBudget, type TimeBudget } from "../../shared/runtime/time-budget.ts";
import { currentEnvironment, type Environment } from "./transport/environment.ts";

/** Mistakes in how the functions follow the published bindings. */
export const MUTATIONS_OF_RULES = {
  "unknown-taken-for-in-force": {
    description: "takes the known rules for the ones in force when S3 does not answer",
    rotation: unknownAsInForce,
    reconcile: unknownAsInForce,
  },
  "fingerprint-not-compared": {
    description: "writes by the known rules when S3 does not answer, whatever the Secret's fingerprint",
    rotation: unknownAsInForce,
  },
  "deletes-without-s3": {
    description: "deletes in a sweep although S3 does not answer",
    reconcile: unknownAsInForce,
  },
  "superseded-ignored": {
    description: "goes on with the known rules when newer ones are in force",
    rotation: supersededAsInForce,
    reconcile: supersededAsInForce,
  },
  "sweep-without-rules-check": {
    description: "deletes in a sweep without another look at the pointer",
    reconcile: (): Checks => ({ checkRules: async () => "in-force" }),
  },
  "pointer-before-live-secret": {
    description: "reads the pointer before the live Secret",
    rotation: checkBeforeLive,
  },
  "generation-goes-back": {
    description: "goes back to the first bindings of its environment when newer ones are published",
    rotation: backToFirst<RotationDependencies>,
    reconcile: backToFirst<ReconcileDependencies>,
  },
  "rules-of-the-start": {
    description: "never follows bindings that were published after the start of its environment",
    rotation: firstOf<RotationDependencies>,
  },
  "four-tries-for-the-pointer": {
    description: "asks S3 for the pointer up to four times, each for as long as a value may wait",
    rotation: askRepeatedly,
  },
  "nothing-without-s3": {
    description: "writes no Secret while S3 does not answer, not even under unchanged rules",
    rotation: forgetFingerprints,
  },
} as const;

type Checks = { readonly checkRules: (budget: TimeBudget) => Promise<RulesCheck> };

function unknownAsInForce({ checkRules }: Checks): Checks {
  return { checkRules: async (budget) => replaced(await checkRules(budget), "unknown") };
}

function supersededAsInForce({ checkRules }: Checks): Checks {
  return { checkRules: async (budget) => replaced(await checkRules(budget), "superseded") };
}

const replaced = (check: RulesCheck, wrong: RulesCheck): RulesCheck => (check === wrong ? "in-force" : check);

/** Pauses of different lengths make the race frequent. */
function checkBeforeLive({ checkRules, connect }: RotationDependencies): Partial<RotationDependencies> {
  let early: RulesCheck | undefined;
  return {
    connect: (clusterKey) => {
      const cluster = connect(clusterKey);
      const readSecret: typeof cluster.readSecret = async (target, budget) => {
        early = await checkRules(budget);
        await sleep(Math.random() * EARLY_MS_MAX);
        return cluster.readSecret(target, budget);
      };
      return { ...cluster, readSecret };
    },
    checkRules: async (budget) => early ?? checkRules(budget),
  };
}

const EARLY_MS_MAX = 5_000;

/** The first dependencies of each environment. */
const first = new WeakMap<Environment, object>();

function firstOf<D extends object>(real: D): D {
  const environment = currentEnvironment();
  if (environment === undefined) throw new TypeError("A function runs in an environment");
  const known = first.get(environment) ?? real;
  first.set(environment, known);
  return known as D;
}

function backToFirst<D extends object & Checks>(real: D): Partial<D> {
  const kept = firstOf(real);
  return kept === real ? {} : { ...kept, checkRules: async () => "in-force" };
}

function askRepeatedly({ checkRules }: Checks): Checks {
  return {
    checkRules: async () => {
      for (let tries = 1; ; tries += 1) {
        const check = await checkRules(startTimeBudget(TRIES_MS));
        if (check !== "unknown" || tries === 4) return check;
      }
    },
  };
}

const TRIES_MS = 20_000;

/** As if each Secret followed other rules than the known ones, once S3 has not answered. */
function forgetFingerprints({ checkRules, connect }: RotationDependencies): Partial<RotationDependencies> {
  let isUnknown = false;
  return {
    checkRules: async (budget) => {
      const check = await checkRules(budget);
      isUnknown = check === "unknown";
      return check;
    },
    connect: (clusterKey) => {
      const cluster = connect(clusterKey);
      const readSecret: typeof cluster.readSecret = async (target, budget) => {
        const live = await cluster.readSecret(target, budget);
        return live && withoutFingerprint(live, () => isUnknown);
      };
      return { ...cluster, readSecret };
    },
  };
}

/** The rules are checked after the live read, so the annotations are too. */
function withoutFingerprint(live: LiveSecret, isHidden: () => boolean): LiveSecret {
  const others = Object.entries(live.annotations).filter(([key]) => !key.endsWith(FINGERPRINT));
  return {
    ...live,
    get annotations() {
      return isHidden() ? Object.fromEntries(others) : live.annotations;
    },
  };
}

const FINGERPRINT = "secret-relay/binding-fingerprint";
