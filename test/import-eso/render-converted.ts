import type { Converted } from "../../cli/import-eso/convert-manifests.ts";
import { writeBindings } from "../../cli/import-eso/write-bindings.ts";
import type { BoundSource } from "../../shared/bindings/binding.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { type DesiredSecret, renderSecret } from "../../shared/render/render-secret.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { OPTIONS } from "./manifests.ts";

/** The Secrets that the relay writes, one for each target. `read` gives the SecretString of a source. */
export async function renderConverted(
  converted: readonly Converted[],
  read: (source: BoundSource) => string,
): Promise<DesiredSecret[]> {
  const { bindings } = loadBindings(writeBindings(converted, OPTIONS), "bindings.yaml");
  if (bindings.length === 0) throw new TypeError("Nothing was bound");
  return Promise.all(
    bindings.map(async (binding) => {
      const reads = binding.sources.map((source) => ({
        arn: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
        versionId: "version-1" as VersionId,
        value: SecretValue.fromText(read(source)),
      }));
      return renderSecret(binding, reads, RELAY_METADATA, await loadRenderers(binding));
    }),
  );
}

export function dataOf(secret: DesiredSecret | undefined): Record<string, string> {
  const entries = [...(secret?.data ?? [])];
  return Object.fromEntries(
    entries.map(([key, value]) => [key, Buffer.from(value.expose()).toString("utf8")]),
  );
}
