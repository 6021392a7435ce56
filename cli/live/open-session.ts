import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import type { BindingIndex, SourceBindings } from "../../shared/bindings/binding-index.ts";
import { openRelay, type Relay } from "../../shared/relay/open-relay.ts";
import { callCounter } from "../../shared/runtime/call-counter.ts";
import { secretsManagerSource } from "../../shared/source/secrets-manager/secrets-manager-source.ts";
import type { Source } from "../../shared/source/source.ts";
import { loadBindingsFile } from "../bindings-file.ts";
import type { Cli } from "../cli.ts";
import { type AwsSession, openAwsSession } from "./aws-session.ts";
import { type BoundClusters, connectBoundClusters, TARGETS_AT_ONCE } from "./connect-bound-clusters.ts";
import type { AwsOptions, SelectionOptions, SessionOptions } from "./options.ts";
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
): Promise<{ readonly session: Session; readonly groups: readonly SourceBindings[] }> {
  const session = await openSession(cli, options);
  return { session, groups: selectBindings(session.index, { what, clusters: options.cluster }) };
}

export async function openSession(cli: Cli, options: SessionOptions): Promise<Session> {
  return openSessionWith(cli, options, await loadBindingsFile(cli, options.bindings));
}

/** Opens a session for bindings that are not in a file. */
export async function openSessionWith(
  cli: Cli,
  options: Omit<SessionOptions, "bindings">,
  bindings: CompiledBindings,
): Promise<Session> {
  const aws = await openAwsSession(options);
  const counter = callCounter();
  const { onAwsCall, onKubernetesCall, onThrottled } = counter;
  const clusters = await connectBoundClusters(cli, options, bindings, {
    aws,
    listeners: { onRequest: onKubernetesCall, onThrottled },
  });
  const relay = openRelay(bindings, {
    source: secretsManagerSource(clientOptions(aws), { onCall: onAwsCall, onThrottled }),
    connect: clusters.connect,
    targetsAtOnce: TARGETS_AT_ONCE,
    counter,
    now: cli.now,
    wait: cli.wait,
  });
  return { ...clusters, ...relay, aws, index: relay.bindingsFor(aws.location) };
}

/** For a command without bindings. */
export async function openSources(options: AwsOptions): Promise<Pick<Session, "aws" | "source">> {
  const aws = await openAwsSession(options);
  return { aws, source: secretsManagerSource(clientOptions(aws)) };
}

const clientOptions = ({ region, client: { credentials } }: AwsSession) => ({ region, credentials });
