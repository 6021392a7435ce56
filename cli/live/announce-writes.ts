import type { Binding } from "../../shared/bindings/binding.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { Cli } from "../cli.ts";
import type { AwsSession } from "./aws-session.ts";
import type { BoundClusters } from "./connect-bound-clusters.ts";

/** Shows whose credentials write where, on stderr, before the first write. */
export function announceWrites(
  { terminal }: Pick<Cli, "terminal">,
  { aws, loginFor }: { readonly aws: AwsSession } & Pick<BoundClusters, "loginFor">,
  clusterKeys: Iterable<string>,
): void {
  announceAccount({ terminal }, aws);
  for (const clusterKey of new Set(clusterKeys)) {
    const login = loginOf(loginFor, clusterKey);
    if (login !== undefined) terminal.say(`Cluster ${clusterKey}: ${login}`);
  }
}

/** For a deployed function, which has its own credentials and clusters. */
export function announceFunction(
  { terminal }: Pick<Cli, "terminal">,
  aws: AwsSession,
  ...functionNames: readonly string[]
): void {
  announceAccount({ terminal }, aws);
  for (const name of functionNames) terminal.say(`Function ${name}, with its own permissions`);
}

export const clustersOf = (bindings: readonly Binding[]): readonly string[] =>
  bindings.map(({ target }) => target.cluster);

export function announceAccount(
  { terminal }: Pick<Cli, "terminal">,
  { location, callerArn }: AwsSession,
): void {
  terminal.say(`Account ${location.accountId}, Region ${location.region}, as ${callerArn}`);
}

/** Undefined if there is none: each Secret of the cluster then has the error. */
function loginOf(loginFor: BoundClusters["loginFor"], clusterKey: string): string | undefined {
  try {
    return loginFor(clusterKey);
  } catch (error) {
    if (error instanceof RelayError) return undefined;
    throw error;
  }
}
