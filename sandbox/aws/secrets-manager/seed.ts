import { randomUUID } from "node:crypto";
import type { SecretsManagerContext } from "./context.ts";
import type { Tag } from "./secret.ts";

export type SeedSecret = {
  readonly name: string;
  /** Without a value the secret exists and has no version. */
  readonly value?: string;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly owningService?: string;
};

export type SeededSecret = { readonly name: string; readonly arn: string; readonly versionId?: string };

/** Adds secrets without requests, events or counts: for benchmarks with tens of thousands of them. */
export function seedSecrets(context: SecretsManagerContext, seeds: Iterable<SeedSecret>): SeededSecret[] {
  return Array.from(seeds, ({ name, value, description, tags = {}, owningService }) => {
    if (context.store.find(name) !== undefined)
      throw new Error(`The sandbox already has a secret named ${name}`);
    const at = context.now();
    const versionId = randomUUID();
    const version = { id: versionId, createdAt: at, labels: ["AWSCURRENT"] };
    const state = {
      at,
      description,
      tags: Object.entries(tags).map(([Key, Value]): Tag => ({ Key, Value })),
      versions:
        value === undefined
          ? new Map()
          : new Map([[versionId, { ...version, value: { kind: "text", text: value } as const }]]),
    };
    const { arn } = context.store.create(name, state, owningService);
    return { name, arn, ...(value !== undefined && { versionId }) };
  });
}
