import { UsageError } from "../errors.ts";

/** A command that writes takes a name, or says that it means everything. */
export function mustSelect(
  verb: string,
  what: string | undefined,
  { all, cluster }: { all?: boolean | undefined; cluster?: readonly string[] | undefined },
): void {
  if (what === undefined && all !== true && cluster === undefined) {
    throw new UsageError(`Say what to ${verb}: namespace/name, the name or ARN of a source, or --all.`);
  }
  if (what !== undefined && all === true) throw new UsageError("Give a name or --all, not both.");
}
