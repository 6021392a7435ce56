import type { Binding } from "../bindings/binding.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import { RelayError } from "../relay-error.ts";
import { RenderError } from "../render/errors.ts";
import { loadRenderers } from "../render/load-renderers.ts";
import { type DesiredSecret, renderSecret } from "../render/render-secret.ts";
import type { CurrentSource } from "../source/source.ts";

/** The rendered Secret, or the error; undefined when a source could not be read. */
export async function renderCurrent(
  binding: Binding,
  reads: readonly (CurrentSource | RelayError)[],
  ownMetadata: RelayMetadata,
): Promise<DesiredSecret | RenderError | undefined> {
  const current = reads.filter((read): read is CurrentSource => !(read instanceof RelayError));
  if (current.length < reads.length) return undefined;
  try {
    return renderSecret(binding, current, ownMetadata, await loadRenderers(binding));
  } catch (error) {
    if (error instanceof RenderError) return error;
    throw error;
  }
}
