import {
  type BindingIndex,
  createBindingIndex,
  type SourceBindings,
} from "../../shared/bindings/binding-index.ts";
import { openRelay, type Relay } from "../../shared/relay/open-relay.ts";
import { callCounter } from "../../shared/runtime/call-counter.ts";
import { secretsManagerSource } from "../../shared/source/secrets-manager/secrets-manager-source.ts";
import type { Source } from "../../shared/source/source.ts";
import type { Cli } from "../cli.ts";
import { type AwsSession, openAwsSession } from "./aws-session.ts";
import { type BoundClusters, connectBoundClusters, TARGETS_AT_ONCE } from "./connect-bound-clusters.ts";
import { type LoadedBindings, openBindings, sayIfNotInForce } from "./load-bindings.ts";
import type { AwsOptions, ClusterOptions, SelectionOptions, SessionOptions } from "./options.ts";
import { selectBindings } from "./select-bindings.ts";

/** The parts of the relay as the functions use them, with the permissions of the caller of the command. */
export type Session = Relay<Source> &
  BoundClusters & {
    readonly aws: AwsSession;
    readonly index: BindingIndex;
  };

/** Opens a session, and selects the bindings that the command line names. */
export async function openSelection(
  cli: Cli,
  what: string | undefined,
  options: SelectionOptions,
  { writes = false }: { readonly writes?: boolean } = {},
): Promise<{ readonly session: Session; readonly groups: readonly SourceBindings[] }> {
  const { aws, loaded } = await openBindings(cli, options);
  if (writes) await sayIfNotInForce(cli, options, loaded, aws);
  const session = await openSessionWith(cli, options, loaded, aws);
  return { session, groups: selectBindings(session.index, { what, clusters: options.cluster }) };
}

export async function openSession(cli: Cli, options: SessionOptions): Promise<Session> {
  const { aws, loaded } = await openBindings(cli, options);
  return openSessionWith(cli, options, loaded, aws);
}

/** Opens a session for bindings that are loaded already. */
export async function openSessionWith(
  cli: Cli,
  options: ClusterOptions,
  { compiled, rules }: Pick<LoadedBindings, "compiled" | "rules">,
  aws: AwsSession,
): Promise<Session> {
  const counter = callCounter();
  const { onAwsCall, onKubernetesCall, onThrottled } = counter;
  const clusters = await connectBoundClusters(cli, options, compiled, {
    aws,
    listeners: { onRequest: onKubernetesCall, onThrottled },
  });
  const relay = openRelay(rules, {
    source: secretsManagerSource(clientOptions(aws), { onCall: onAwsCall, onThrottled }),
    connect: clusters.connect,
    targetsAtOnce: TARGETS_AT_ONCE,
    counter,
    now: cli.now,
    wait: cli.wait,
  });
  return { ...clusters, ...relay, aws, index: createBindingIndex(compiled, aws.location) };
}

/** For a command without bindings. */
export async function openSources(options: AwsOptions): Promise<Pick<Session, "aws" | "source">> {
  const aws = await openAwsSession(options);
  return { aws, source: secretsManagerSource(clientOptions(aws)) };
}

const clientOptions = ({ region, client: { credentials } }: AwsSession) => ({ region, credentials });
