import type { Binding } from "../bindings/binding.ts";
import type { VersionId } from "../source/secret-id.ts";
import type { SecretValue } from "../source/secret-value.ts";
import { RenderError } from "./errors.ts";

/** The value of a source. */
export type RenderSource = {
  readonly arn: string;
  readonly versionId: VersionId;
  readonly value: SecretValue;
  readonly isText: boolean;
};

export function notAnObject(binding: Binding, source: RenderSource): RenderError {
  return new RenderError(
    "SOURCE_NOT_JSON_OBJECT",
    `The value of ${source.arn} is not a JSON object, so it has no keys. Set value: <data key> in the binding of ${binding.target.namespace}/${binding.target.name} to write the whole value.`,
  );
}
