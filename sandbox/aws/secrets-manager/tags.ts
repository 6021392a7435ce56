import { invalidParameter, validation } from "../aws-error.ts";
import { list, type Operation, requiredText } from "../call.ts";
import type { SecretsManagerContext } from "./context.ts";
import type { Tag } from "./secret.ts";

export function tagResource(context: SecretsManagerContext): Operation {
  return ({ input }) => {
    const secret = context.store.getLiving(requiredText(input, "SecretId"));
    secret.change(context.now(), { tags: withTags(secret.state.tags, list<Tag>(input, "Tags") ?? []) });
    return {};
  };
}

export function untagResource(context: SecretsManagerContext): Operation {
  return ({ input }) => {
    const secret = context.store.getLiving(requiredText(input, "SecretId"));
    const keys = new Set(list<string>(input, "TagKeys"));
    secret.change(context.now(), { tags: secret.state.tags.filter(({ Key }) => !keys.has(Key)) });
    return {};
  };
}

const TAGS_MAX = 50;

export function withTags(tags: readonly Tag[], added: readonly Tag[]): readonly Tag[] {
  const merged = new Map(tags.map((tag) => [tag.Key, tag]));
  for (const { Key, Value = "" } of added) {
    if (typeof Key !== "string" || Key.length < 1 || Key.length > 128) {
      throw validation(
        "1 validation error detected: Value at 'tags.key' failed to satisfy constraint: Member must have 1 to 128 characters",
      );
    }
    merged.set(Key, { Key, Value });
  }
  if (merged.size > TAGS_MAX)
    throw invalidParameter(`You can't have more than ${TAGS_MAX} tags on a secret.`);
  return [...merged.values()];
}
