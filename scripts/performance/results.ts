import { readFileSync } from "node:fs";

/** A result of bench/results/, as scripts/record-bench.ts writes it. Sizes are in bytes. */
export type Recorded<Result> = {
  readonly command: string;
  readonly day: string;
  readonly machine: string;
  readonly result: Result;
};

export type Rotation = {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly samples: number;
  readonly floorP50Ms: number;
  readonly timesFloor: number;
};
export type Burst = {
  readonly events: number;
  readonly clusters: number;
  readonly failed: number;
  readonly perSecond: number;
};
export type Sweep = {
  readonly bindings: number;
  readonly drifted: number;
  readonly awsCalls: number;
  readonly kubernetesCalls: number;
  readonly secretValuesRead: number;
  readonly ms: number;
  readonly againMs: number;
  readonly againPerBindingMs: number;
  readonly maxRssMB: number;
};
export type ColdStart = Readonly<
  Record<
    | "bindings"
    | "bundleBytes"
    | "addedMs"
    | "addedWith10Ms"
    | "addedWithFileMs"
    | "publishedMs"
    | "connectedMs"
    | "maxRssMB"
    | "addedWithCacheMs"
    | "naiveBytes"
    | "naiveAddedMs"
    | "ratio"
    | "initialBytes"
    | "addedWithEksMs"
    | "bareMs",
    number
  >
>;
export type Rollouts = {
  readonly workloads: number;
  readonly seconds: number;
  readonly invocations: number;
  readonly invocationsEach: number;
  readonly messagesSent: number;
  readonly kubernetesReads: number;
  readonly kubernetesPatches: number;
  readonly s3Reads: number;
  readonly secretValuesRead: number;
  readonly usd: number;
};
export type Publication = {
  readonly bindings: number;
  readonly firstMs: number;
  readonly ms: number;
  readonly unnamedFirstMs: number;
  readonly unnamedMs: number;
};
type CommandCost = { readonly seconds: number; readonly cpuSeconds: number; readonly maxRssMB: number };
export type Publish = {
  readonly bindings: number;
  readonly fileMB: number;
  readonly heapMB: number;
  readonly validate: CommandCost;
  readonly publish: CommandCost;
};
export type Bundle = {
  readonly variants: readonly {
    readonly variant: string;
    readonly bytes: number;
    readonly initialBytes: number;
    readonly addedMs: number;
  }[];
};

export type Results = ReturnType<typeof readResults>;

export function readResults() {
  return {
    rotation: recorded<Rotation>("rotation-real"),
    rotationOnSandbox: recorded<Rotation>("rotation-sandbox"),
    burst: recorded<Burst>("burst"),
    burstOnRealServers: recorded<Burst>("burst-real"),
    sweeps: [
      recorded<Sweep>("sweep-1k"),
      recorded<Sweep>("sweep-10k"),
      recorded<Sweep>("sweep-50k"),
    ] as const,
    driftedSweep: recorded<Sweep>("sweep-drifted"),
    coldStarts: [
      recorded<ColdStart>("cold-start-10"),
      recorded<ColdStart>("cold-start-10k"),
      recorded<ColdStart>("cold-start-100k"),
    ] as const,
    rollouts: recorded<Rollouts>("rollouts"),
    stuckRollouts: recorded<Rollouts>("rollouts-stuck"),
    publication: recorded<Publication>("publication-10k"),
    publish: recorded<Publish>("publish-100k"),
    bundle: recorded<Bundle>("bundle"),
  };
}

function recorded<Result>(name: string): Recorded<Result> {
  const file = new URL(`../../bench/results/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Recorded<Result>;
}

export const kB = (bytes: number): string => `${Math.round(bytes / 1_000)} kB`;
export const thousands = (count: number): string => count.toLocaleString("en-US");
