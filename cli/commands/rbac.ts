import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import {
  type NamespacePermissions,
  permissionsOfBindings,
} from "../../shared/permissions/permissions-of-bindings.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import {
  addAwsOptions,
  addClusterOptions,
  addPreparedBindingsOptions,
  type ClusterOptions,
} from "../live/options.ts";
import type { CheckedPermission, Subject } from "../permissions/check-permissions.ts";
import { withProgress } from "../terminal/progress.ts";
import { table } from "../terminal/table.ts";

type Options = ClusterOptions & {
  readonly bindings?: string;
  readonly stackName?: string;
  readonly cluster?: string;
  readonly group?: string;
  readonly findOrphans?: boolean;
  readonly check?: boolean;
  readonly asSelf?: boolean;
  readonly json?: boolean;
};

export const addRbac: AddCommand = (program, cli) => {
  const command = defineCommand(program, "rbac", {
    summary: "print the Roles and RoleBindings that the bindings need",
    description:
      "Prints the minimal permissions of the relay in a cluster: one Role and one RoleBinding per namespace, limited to the names of the Secrets. Apply the output again after each change of the bindings. With --check it asks the cluster which of these permissions the relay has.",
    examples: [
      ["secret-relay rbac | kubectl apply -f -", "grant the permissions"],
      ["secret-relay rbac --cluster prod > secret-relay-rbac.yaml", "for a GitOps repository"],
      ["secret-relay rbac --check", "show missing permissions"],
    ],
    note: "With --check it ends with 1 if a permission is missing.",
  })
    .option("-c, --cluster <key>", "the key of the cluster; required if the bindings have several")
    .option("-g, --group <name>", "the Kubernetes group of the access entries (default: the relay name)")
    .option(
      "--find-orphans",
      "also allow listing Secrets, to find orphans, and deleting the orphans that wait for deletion in the cluster. Permission to list Secrets gives access to every value in the namespace",
    )
    .option("--check", "ask the cluster whether the group has these permissions")
    .option(
      "--as-self",
      "with --check: check your own permissions, if you use the relay's role or cannot check those of others",
    );
  const json = "print the result as one JSON object";
  const options = addPreparedBindingsOptions(addAwsOptions(command.option("--json", json)));
  addClusterOptions(options).action(
    cli.runs(async (options: Options) => {
      const { loadBindingsOrPublished } = await import("../live/load-bindings.ts");
      const { compiled, selectedBy } = await loadBindingsOrPublished(cli, options);
      const cluster = selectCluster(compiled, options.cluster);
      const { findOrphans: findsOrphans = false } = options;
      const ofCluster = permissionsOfBindings(compiled, { findsOrphans }).filter(
        (one) => one.cluster === cluster,
      );
      const request = { compiled, selectedBy, cluster, namespaces: ofCluster };
      const namespaces = findsOrphans ? await addOrphans(cli, options, request) : ofCluster;
      if (namespaces.length === 0) {
        cli.terminal.say(
          `No binding has a target in cluster ${cluster}, so the relay needs no permissions there.`,
        );
      }
      return options.check === true
        ? check(cli, options, { ...request, namespaces })
        : print(cli, options, { ...request, namespaces });
    }),
  );
};

type Request = {
  readonly compiled: CompiledBindings;
  readonly selectedBy: string;
  readonly cluster: string;
  readonly namespaces: readonly NamespacePermissions[];
};

async function addOrphans(
  cli: CommandLine,
  options: Options,
  { compiled, cluster, namespaces }: Request,
): Promise<readonly NamespacePermissions[]> {
  const { connectWithFallback } = await import("../live/connect-bound-clusters.ts");
  const { addPermissionsForOrphans } = await import("../permissions/permissions-for-orphans.ts");
  const sayUnknown = (where: string) =>
    cli.terminal.say(`Orphans that wait for deletion are unknown ${where}, so these Roles do not name them.`);
  try {
    const { connect } = await connectWithFallback(cli, options, compiled);
    const budget = startTimeBudget(CHECK_MS_MAX);
    const found = await addPermissionsForOrphans(connect(cluster), namespaces, compiled.relay, budget);
    if (found.unknown.length > 0) sayUnknown(`in ${found.unknown.join(", ")}`);
    return found.namespaces;
  } catch (error) {
    // Printing Roles must work without access to a cluster.
    if (!(error instanceof RelayError)) throw error;
    sayUnknown(`(${error.code})`);
    return namespaces;
  }
}

async function print(
  cli: CommandLine,
  options: Options,
  { compiled: { relay }, cluster, namespaces }: Request,
): Promise<ExitCode> {
  const { printManifests, roleManifests } = await import("../permissions/role-manifests.ts");
  const manifests = namespaces.map((each) => roleManifests(each, { relay, group: options.group }));
  const objects = manifests.flatMap(({ role, roleBinding }) => [role, roleBinding]);
  return finish(cli, options, { ok: true, cluster, objects }, () => {
    if (manifests.length > 0) cli.terminal.out(manifests.map(printManifests).join("\n---\n"));
  });
}

async function check(
  cli: CommandLine,
  options: Options,
  { compiled, selectedBy, cluster, namespaces }: Request,
): Promise<ExitCode> {
  const { terminal } = cli;
  const { connectWithFallback } = await import("../live/connect-bound-clusters.ts");
  const { checkPermissions } = await import("../permissions/check-permissions.ts");
  const { group = compiled.relay } = options;
  const subject: Subject = options.asSelf === true ? "self" : { group };
  const { connect, loginFor } = await connectWithFallback(cli, options, compiled);
  const connection = connect(cluster);
  const budget = startTimeBudget(CHECK_MS_MAX);
  const checked = await withProgress(terminal, "checking permissions", (reportProgress) =>
    checkPermissions(connection, namespaces, { subject, budget, reportProgress }),
  );
  if (checked.kind === "forbidden") {
    throw new UsageError(
      `You (${loginFor(cluster)}) cannot check the permissions of group ${group}: you lack create on localsubjectaccessreviews. Use another context, or the relay's role with --as-self.`,
    );
  }
  const { permissions } = checked;
  const missing = permissions.filter(({ allowed }) => !allowed);
  const ok = missing.length === 0;
  return finish(cli, options, { ok, cluster, group, permissions }, () => {
    if (ok) return terminal.out(`Cluster ${cluster}: the relay has all ${permissions.length} permissions.`);
    terminal.out(table(terminal, ["MISSING", "NAMESPACE", "REASON"], missing.map(rowOf)));
    terminal.say(
      `${missing.length} of ${permissions.length} permissions are missing in cluster ${cluster}. Grant them: secret-relay rbac${selectedBy}${options.cluster ? ` --cluster ${cluster}` : ""} | kubectl apply -f -`,
    );
  });
}

function rowOf({ verb, resource, apiGroup, name, namespace = "(all)", why }: CheckedPermission): string[] {
  const object = `${resource}${apiGroup && `.${apiGroup}`}${name === undefined ? "" : `/${name}`}`;
  return [`${verb} ${object}`, namespace, why];
}

/** One cluster, because the output is applied to one cluster. */
function selectCluster({ clusters }: CompiledBindings, key: string | undefined): string {
  const keys = Object.keys(clusters);
  const [only, ...others] = keys;
  if (key === undefined && only !== undefined && others.length === 0) return only;
  if (key !== undefined && keys.includes(key)) return key;
  const problem =
    key === undefined ? "The bindings have several clusters" : `The bindings have no cluster ${key}`;
  throw new UsageError(`${problem}. Add --cluster with one of ${keys.join(", ")}.`);
}

const CHECK_MS_MAX = 120_000;
