import { parseArgs } from "node:util";
import { MUTATIONS, type MutationName } from "./mutations.ts";
import type { ChaosSettings } from "./settings.ts";

export class UsageError extends Error {}

export type ChaosOptions = {
  readonly settings: ChaosSettings;
  /** How many seeds, from the given one on. */
  readonly seeds: number;
  readonly asJson: boolean;
  /** A file that receives one line per exchange of the functions. */
  readonly traceFile?: string;
};

/** On real servers a minute takes a minute, so the default run is smaller. */
const DEFAULTS = {
  sandbox: { minutes: 60, rotations: 500, bindings: 240, clusters: 3 },
  real: { minutes: 2, rotations: 100, bindings: 120, clusters: 2 },
};

const MOST = {
  seed: 2 ** 31 - 1,
  seeds: 10_000,
  minutes: 10_000,
  rotations: 100_000,
  bindings: 5_000,
  clusters: 9,
};

export function readOptions(args: readonly string[]): ChaosOptions {
  const text = { type: "string" } as const;
  const options = {
    seed: text,
    seeds: text,
    minutes: text,
    rotations: text,
    bindings: text,
    clusters: text,
    backend: text,
    mutation: text,
    trace: text,
    json: { type: "boolean" },
  } as const;
  let values: Partial<Record<keyof typeof options, string | boolean>>;
  try {
    ({ values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { backend = "sandbox", mutation } = values;
  if (backend !== "sandbox" && backend !== "real") throw new UsageError("--backend must be sandbox or real.");
  if (mutation !== undefined && !Object.hasOwn(MUTATIONS, mutation as string)) {
    throw new UsageError(`--mutation must be one of ${Object.keys(MUTATIONS).join(", ")}.`);
  }
  const count = (name: keyof typeof MOST, otherwise: number): number => {
    const given = values[name];
    const value = given === undefined ? otherwise : Number(given);
    if (Number.isInteger(value) && value >= 1 && value <= MOST[name]) return value;
    throw new UsageError(`--${name} must be a whole number from 1 to ${MOST[name]}.`);
  };
  const otherwise = DEFAULTS[backend];
  return {
    settings: {
      backend,
      seed: count("seed", 1),
      minutes: count("minutes", otherwise.minutes),
      rotations: count("rotations", otherwise.rotations),
      bindings: count("bindings", otherwise.bindings),
      clusters: count("clusters", otherwise.clusters),
      ...(mutation !== undefined && { mutation: mutation as MutationName }),
    },
    seeds: count("seeds", 1),
    asJson: values.json === true,
    ...(typeof values.trace === "string" && { traceFile: values.trace }),
  };
}

export function usage(): string {
  const mutations = Object.entries(MUTATIONS).map(
    ([name, { description }]) => `    ${name.padEnd(24)} ${description}\n`,
  );
  return `Usage: npm run chaos -- [options]
  --seed N           the first seed (1)
  --seeds K          the number of seeds, one after the other (1)
  --minutes M        duration of the faults, in the world's time (60; real: 2)
  --rotations N      moves of AWSCURRENT in that time (500; real: 100)
  --bindings N       Kubernetes Secrets in all (240; real: 120)
  --clusters N       clusters (3; real: 2)
  --backend NAME     sandbox or real (sandbox)
  --trace FILE       writes one line per exchange of the functions
  --json             prints one JSON object
  --mutation NAME    injects a bug that the run must find:
${mutations.join("")}`;
}
