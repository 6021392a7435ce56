import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { type PlaceRights, rightsOfBindings } from "../../shared/rights/rights-of-bindings.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import { bindingsOption, loadBindingsFile } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { addAwsOptions, addClusterOptions, type LiveOptions } from "../live/options.ts";
import type { CheckedRight, Subject } from "../rights/check-rights.ts";
import { printManifests, roleManifests } from "../rights/role-manifests.ts";
import { withProgress } from "../terminal/progress.ts";
import { table } from "../terminal/table.ts";

type Options = LiveOptions & {
  readonly cluster?: string;
  readonly group?: string;
  readonly findOrphans?: boolean;
  readonly check?: boolean;
  readonly asSelf?: boolean;
  readonly json?: boolean;
};

export const addRbac: AddCommand = (program, cli) => {
  const command = program
    .command("rbac")
    .summary("print the Roles and RoleBindings that the bindings need")
    .description(
      "Prints what the relay must be allowed to do in a cluster, and nothing besides: one Role and one RoleBinding for each namespace, by the names of the Secrets. Apply it again after each change of the bindings. With --check it asks the cluster instead which of these rights the relay has.",
    )
    .addOption(bindingsOption())
    .option("-c, --cluster <key>", "the cluster, by its key in the bindings; needed when there are several")
    .option(
      "-g, --group <name>",
      "the Kubernetes group of the relay's access entries (default: the relay's name)",
    )
    .option(
      "--find-orphans",
      "also allow to list Secrets, so that sweeps find those that are no longer bound, and to delete those that wait for it (looked up in the cluster); anyone who may list Secrets may read all of that namespace",
    )
    .option("--check", "ask the cluster whether the group has these rights; 1 when one is missing")
    .option(
      "--as-self",
      "with --check: ask for your own rights, for whoever runs this with the relay's role or may not ask about others",
    )
    .option("--json", "print one JSON object");
  addClusterOptions(addAwsOptions(command))
    .addHelpText(
      "after",
      examples(
        ["secret-relay rbac | kubectl apply -f -", "give the relay its rights"],
        ["secret-relay rbac --cluster prod > secret-relay-rbac.yaml", "for a repository that GitOps applies"],
        ["secret-relay rbac --check", "what is missing in the cluster"],
      ),
    )
    .action(
      cli.runs(async (options: Options) => {
        const compiled = await loadBindingsFile(cli, options.bindings);
        const cluster = clusterOf(compiled, options.cluster);
        const { findOrphans: findsOrphans = false } = options;
        const bound = rightsOfBindings(compiled, { findsOrphans }).filter((one) => one.cluster === cluster);
        const places = findsOrphans
          ? await withOrphans(cli, options, { compiled, cluster, places: bound })
          : bound;
        if (places.length === 0) {
          cli.terminal.say(`No binding has a target in cluster ${cluster}: the relay needs no rights there.`);
        }
        return options.check === true
          ? check(cli, options, { compiled, cluster, places })
          : print(cli, options, { compiled, cluster, places });
      }),
    );
};

type Asked = {
  readonly compiled: CompiledBindings;
  readonly cluster: string;
  readonly places: readonly PlaceRights[];
};

async function withOrphans(
  cli: CommandLine,
  options: Options,
  { compiled, cluster, places }: Asked,
): Promise<readonly PlaceRights[]> {
  const { reachOrToken } = await import("../live/reach-or-token.ts");
  const { addRightsOfOrphans } = await import("../rights/rights-of-orphans.ts");
  const sayUnknown = (where: string) =>
    cli.terminal.say(
      `Secrets that wait for their deletion are unknown ${where}: their names are not in these Roles.`,
    );
  try {
    const { connect } = await reachOrToken(cli, options, compiled);
    const budget = startTimeBudget(CHECK_MS_MAX);
    const found = await addRightsOfOrphans(connect(cluster), places, compiled.relay, budget);
    if (found.unknown.length > 0) sayUnknown(`in ${found.unknown.join(", ")}`);
    return found.places;
  } catch (error) {
    // The Roles can be printed without a cluster at hand.
    if (!(error instanceof UsageError || error instanceof RelayError)) throw error;
    sayUnknown(`(${error.code})`);
    return places;
  }
}

function print(
  { terminal }: CommandLine,
  { group, json = false }: Options,
  { compiled: { relay }, cluster, places }: Asked,
) {
  const manifests = places.map((place) => roleManifests(place, { relay, group }));
  if (json) {
    const objects = manifests.flatMap(({ role, roleBinding }) => [role, roleBinding]);
    terminal.out(JSON.stringify({ ok: true, cluster, objects }));
  } else if (manifests.length > 0) terminal.out(manifests.map(printManifests).join("\n---\n"));
  return EXIT.done;
}

async function check(
  cli: CommandLine,
  options: Options,
  { compiled, cluster, places }: Asked,
): Promise<ExitCode> {
  const { terminal } = cli;
  const { reachOrToken } = await import("../live/reach-or-token.ts");
  const { checkRights } = await import("../rights/check-rights.ts");
  const { group = compiled.relay } = options;
  const subject: Subject = options.asSelf === true ? "self" : { group };
  const { connect, wayTo } = await reachOrToken(cli, options, compiled);
  const connection = connect(cluster);
  const budget = startTimeBudget(CHECK_MS_MAX);
  const checked = await withProgress(terminal, "asking the cluster", (tell) =>
    checkRights(connection, places, { subject, budget, tell }),
  );
  if (checked.kind === "may-not-ask") {
    throw new UsageError(
      `You (${wayTo(cluster)}) may not ask about group ${group} (create localsubjectaccessreviews). Take a context that may, or run this with the relay's role and --as-self.`,
    );
  }
  const missing = checked.rights.filter(({ allowed }) => !allowed);
  const ok = missing.length === 0;
  const count = checked.rights.length;
  if (options.json === true) {
    terminal.out(JSON.stringify({ ok, cluster, group, rights: checked.rights }));
  } else if (ok) terminal.out(`Cluster ${cluster}: all ${count} rights are there.`);
  else {
    terminal.out(table(terminal, ["MISSING", "NAMESPACE", "FOR WHAT"], missing.map(rowOf)));
    terminal.say(
      `${missing.length} of ${count} rights are missing in cluster ${cluster}. Give them: secret-relay rbac${options.cluster ? ` --cluster ${cluster}` : ""} | kubectl apply -f -`,
    );
  }
  return ok ? EXIT.done : EXIT.failed;
}

function rowOf({ verb, resource, apiGroup, name, namespace = "(all)", why }: CheckedRight): string[] {
  const what = `${resource}${apiGroup && `.${apiGroup}`}${name === undefined ? "" : `/${name}`}`;
  return [`${verb} ${what}`, namespace, why];
}

/** The one that is meant: what is printed is applied to one cluster. */
function clusterOf({ clusters }: CompiledBindings, asked: string | undefined): string {
  const keys = Object.keys(clusters);
  const [only, ...others] = keys;
  if (asked === undefined && only !== undefined && others.length === 0) return only;
  if (asked !== undefined && keys.includes(asked)) return asked;
  const problem =
    asked === undefined ? "The bindings have several clusters" : `The bindings have no cluster ${asked}`;
  throw new UsageError(`${problem}. Add --cluster with one of ${keys.join(", ")}.`);
}

const CHECK_MS_MAX = 120_000;
