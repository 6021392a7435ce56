import type { TargetRef } from "../../shared/bindings/binding.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { Cli } from "../cli.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { loadPublished } from "../live/load-bindings.ts";
import { DEFAULT_STACK_NAME } from "../live/options.ts";
import { NothingPublished } from "../publish/errors.ts";

/** Says whether the published bindings contain a Secret; undefined if they cannot be read. Reads them once, when asked. */
export function publishedTargets(
  cli: Cli,
  aws: AwsSession,
): (target: TargetRef) => Promise<boolean | undefined> {
  let names: Promise<ReadonlySet<string> | undefined> | undefined;
  return async (target) => {
    names ??= namesIn(cli, aws);
    return (await names)?.has(nameOfTarget(target));
  };
}

async function namesIn(cli: Cli, aws: AwsSession): Promise<ReadonlySet<string> | undefined> {
  try {
    const { compiled } = await loadPublished(cli, cli.env.SECRET_RELAY_STACK || DEFAULT_STACK_NAME, aws);
    return new Set(compiled.bindings.map(({ target }) => nameOfTarget(target)));
  } catch (error) {
    return error instanceof NothingPublished ? new Set() : undefined;
  }
}
