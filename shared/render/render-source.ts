import type { Binding } from "../bindings/binding.ts";
import type { VersionId } from "../secret-id/secret-id.ts";
import type { SecretValue } from "../secret-value/secret-value.ts";
import { RenderError } from "./errors.ts";

/** The value that a Secret is made from, as the source read gives it. */
export type RenderSource = {
  readonly arn: string;
  readonly versionId: VersionId;
  readonly value: SecretValue;
  readonly isText: boolean;
};

export function notAnObject(binding: Binding, source: RenderSource): RenderError {
  return new RenderError(
    "SOURCE_NOT_JSON_OBJECT",
    `The value of ${source.arn} is not a JSON object, so it has no keys. Use value: <data key> in the binding of ${binding.target.namespace}/${binding.target.name} to write it whole.`,
  );
}
