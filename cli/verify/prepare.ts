import type { BindingIndex } from "../../shared/bindings/binding-index.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import type { NamespacePermissions } from "../../shared/permissions/permissions-of-bindings.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import type { Cli } from "../cli.ts";
import { CommandError } from "../errors.ts";
import { type AwsSession, openAwsSession } from "../live/aws-session.ts";
import { type DeployedFunction, FunctionUnknown } from "../live/invoke-function.ts";
import { loadPublished } from "../live/load-bindings.ts";
import { openSessionWith, type Session } from "../live/open-session.ts";
import type { ClusterOptions } from "../live/options.ts";
import { type DeployedStack, readStack } from "../live/stack.ts";
import { checkPermissions } from "../permissions/check-permissions.ts";
import { type Canary, createSourceCommand, findCanary } from "./canary.ts";

export type VerifyOptions = ClusterOptions & { readonly stackName: string };

/** The parts of a verification that can start. */
export type Prepared = Canary & {
  readonly aws: AwsSession;
  readonly stack: DeployedStack;
  readonly session: Session;
  readonly index: BindingIndex;
  readonly connection: ClusterConnection;
  readonly rotationFunction: string;
  readonly reconcileFunction: string;
};

/** Finds the canary in the published bindings, and checks what can be checked without a write. */
export async function prepare(cli: Cli, what: string | undefined, options: VerifyOptions): Promise<Prepared> {
  const { stackName } = options;
  const aws = await openAwsSession(options);
  const stack = await readStack(aws, stackName);
  const session = await openSessionWith(cli, options, await loadPublished(cli, stackName, aws), aws);
  const { index } = session;
  const canary = findCanary(index, what);
  const functionNamed = (output: DeployedFunction): string => {
    const name = stack.outputs[output];
    if (name === undefined) throw new FunctionUnknown(stackName, output);
    return name;
  };
  const rotationFunction = functionNamed("RotationFunctionName");
  const reconcileFunction = functionNamed("ReconcileFunctionName");
  await checkSource(session, canary);
  const connection = session.connect(canary.binding.target.cluster);
  await checkOwnRights(connection, canary);
  return { ...canary, aws, stack, session, index, connection, rotationFunction, reconcileFunction };
}

async function checkSource({ source: { describe } }: Session, { source }: Canary): Promise<void> {
  const { kind } = await describe(source, startTimeBudget(CHECK_MS_MAX));
  if (kind === "missing") throw new CanarySourceMissing(source.id);
  if (kind === "scheduled-for-deletion") throw new CanarySourceDeleted(source.id);
}

/** Those of the caller, who reads the Secret and edits it. */
async function checkOwnRights(connection: ClusterConnection, { binding: { target } }: Canary): Promise<void> {
  const { cluster, namespace, name } = target;
  const to = (verb: "get" | "patch", why: string) => ({ apiGroup: "", resource: "secrets", verb, name, why });
  const permissions = [to("get", "see the new value"), to("patch", "edit the Secret")];
  const needed: NamespacePermissions = { cluster, namespace, permissions };
  const budget = startTimeBudget(CHECK_MS_MAX);
  const checked = await checkPermissions(connection, [needed], { subject: "self", budget });
  if (checked.kind === "forbidden") return;
  const missing = checked.permissions.filter(({ allowed }) => !allowed).map(({ verb }) => verb);
  if (missing.length > 0) throw new CanaryForbidden(missing, { namespace, name });
}

const CHECK_MS_MAX = 20_000;

export class CanarySourceMissing extends CommandError {
  readonly code = "CANARY_SOURCE_MISSING";
  constructor(id: string) {
    super(`Secrets Manager has no secret ${id}. Create it: ${createSourceCommand(id)}`);
  }
}

export class CanarySourceDeleted extends CommandError {
  readonly code = "CANARY_SOURCE_DELETED";
  constructor(id: string) {
    super(
      `Secret ${id} is scheduled for deletion. Restore it: aws secretsmanager restore-secret --secret-id ${id}`,
    );
  }
}

/** The caller of the command lacks rights in the cluster. */
export class CanaryForbidden extends CommandError {
  readonly code = "CANARY_FORBIDDEN";
  constructor(verbs: readonly string[], { namespace, name }: { namespace: string; name: string }) {
    super(
      `You lack the permission to ${verbs.join(" and ")} Secret ${namespace}/${name}. Use another login (--context or --eks-token), or bind this role to yours: kubectl create role secret-relay-verify --namespace ${namespace} --verb=get,patch --resource=secrets --resource-name=${name}`,
    );
  }
}
