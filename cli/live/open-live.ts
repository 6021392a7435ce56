import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { type BindingIndex, createBindingIndex } from "../../shared/bindings/binding-index.ts";
import { waitFor } from "../../shared/retry/retry.ts";
import { readCurrentWith } from "../../shared/source/read-current.ts";
import { readManyWith } from "../../shared/source/read-many.ts";
import {
  type CallListeners,
  type ClientFor,
  secretsManagerClients,
} from "../../shared/source/secrets-manager-clients.ts";
import { sourceCatalog } from "../../shared/source/source-catalog.ts";
import type { SweepDependencies } from "../../shared/sweep/sweep-dependencies.ts";
import { loadBindingsFile } from "../bindings-file.ts";
import type { Cli } from "../cli.ts";
import { type AwsSession, openAwsSession } from "./aws-session.ts";
import type { LiveOptions } from "./options.ts";
import { type ReachedClusters, reachClusters, TARGETS_AT_ONCE } from "./reach-clusters.ts";

/** The relay's parts as the functions have them, with the rights of whoever runs the command. */
export type Live = SweepDependencies &
  ReachedClusters & {
    readonly aws: AwsSession;
    readonly bindings: CompiledBindings;
    readonly index: BindingIndex;
    readonly clientFor: ClientFor;
  };

/** AWS by the ordinary credentials, and each cluster of the bindings by a kubeconfig context or by an EKS token. */
export async function openLive(cli: Cli, options: LiveOptions): Promise<Live> {
  return openLiveWith(cli, options, await loadBindingsFile(cli, options.bindings));
}

/** The same for bindings that are in no file yet. */
export async function openLiveWith(
  cli: Cli,
  options: Omit<LiveOptions, "bindings">,
  bindings: CompiledBindings,
): Promise<Live> {
  const aws = await openAwsSession(options);
  const calls = { aws: 0, kubernetes: 0, throttles: 0 };
  const count = (kind: keyof typeof calls) => () => {
    calls[kind] += 1;
  };
  const clientFor = sourceClients(aws, { onCall: count("aws"), onThrottled: count("throttles") });
  const clusters = await reachClusters(cli, options, bindings, {
    aws,
    listeners: { onRequest: count("kubernetes"), onThrottled: count("throttles") },
  });
  return {
    aws,
    bindings,
    index: createBindingIndex(bindings, aws.home),
    clientFor,
    readCurrent: readCurrentWith(clientFor),
    readMany: readManyWith(clientFor),
    catalog: sourceCatalog(clientFor),
    ...clusters,
    now: cli.now,
    wait: waitFor,
    followUp: async (settled, budget) => {
      const { followUpWith } = await import("../../shared/workloads/follow-up.ts");
      return followUpWith({ connect: clusters.connect, now: cli.now, wait: waitFor })(settled, budget);
    },
    targetsAtOnce: TARGETS_AT_ONCE,
    calls: () => ({ ...calls }),
  };
}

/** The sources alone, for a command that has no bindings at hand. */
export async function openSources(
  options: Pick<LiveOptions, "profile" | "region">,
): Promise<Pick<Live, "aws" | "catalog">> {
  const aws = await openAwsSession(options);
  return { aws, catalog: sourceCatalog(sourceClients(aws)) };
}

function sourceClients(aws: AwsSession, listeners: CallListeners = {}): ClientFor {
  return secretsManagerClients((config) => new SecretsManagerClient({ ...aws.client, ...config }), listeners);
}
