import type { Binding } from "../bindings/binding.ts";
import type { VersionId } from "../source/secret-id.ts";
import type { SecretValue } from "../source/secret-value.ts";
import { RenderError } from "./errors.ts";
import { whyNoObject } from "./why-no-object.ts";

/** The value of a source. */
export type RenderSource = {
  readonly arn: string;
  readonly versionId: VersionId;
  readonly value: SecretValue;
};

export function notAnObject({ target }: Binding, { arn, value }: RenderSource): RenderError {
  const found = whyNoObject(value.expose());
  return new RenderError(
    "SOURCE_NOT_JSON_OBJECT",
    found === undefined
      ? `The value of ${arn} is not a JSON object, so it has no keys. Set value: <data key> in the binding of ${target.namespace}/${target.name} to write the whole value.`
      : `The value of ${arn} ${found.why}, so it has no keys for ${target.namespace}/${target.name}. ${found.fix}.`,
  );
}
