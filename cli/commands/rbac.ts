import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { rightsOfBindings } from "../../shared/rights/rights-of-bindings.ts";
import { bindingsOption, loadBindingsFile } from "../bindings-file.ts";
import type { AddCommand } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";
import { printManifests, roleManifests } from "../rights/role-manifests.ts";

type Options = {
  readonly bindings: string;
  readonly cluster?: string;
  readonly group: string;
  readonly findOrphans?: boolean;
  readonly json?: boolean;
};

export const addRbac: AddCommand = (program, cli) => {
  program
    .command("rbac")
    .summary("print the Roles and RoleBindings that the bindings need")
    .description(
      "Prints what the relay must be allowed to do in a cluster, and nothing besides: one Role and one RoleBinding for each namespace, by the names of the Secrets. Apply it again after each change of the bindings.",
    )
    .addOption(bindingsOption())
    .option("-c, --cluster <key>", "the cluster, by its key in the bindings; needed when there are several")
    .option("-g, --group <name>", "the Kubernetes group of the relay's access entries", RELAY_GROUP)
    .option(
      "--find-orphans",
      "also allow to list Secrets, so that sweeps find those that are bound no longer; whoever may list Secrets may read all of that namespace",
    )
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      examples(
        ["secret-relay rbac | kubectl apply -f -", "give the relay its rights"],
        ["secret-relay rbac --cluster prod > secret-relay-rbac.yaml", "for a repository that GitOps applies"],
      ),
    )
    .action(
      cli.runs(async (options: Options) => {
        const { terminal } = cli;
        const compiled = await loadBindingsFile(cli, options.bindings);
        const cluster = clusterOf(compiled, options.cluster);
        const { findOrphans: findsOrphans = false } = options;
        const ofCluster = rightsOfBindings(compiled, { findsOrphans }).filter(
          (one) => one.cluster === cluster,
        );
        const manifests = ofCluster.map((one) => roleManifests(one, options.group));
        if (options.json === true) {
          const objects = manifests.flatMap(({ role, roleBinding }) => [role, roleBinding]);
          terminal.out(JSON.stringify({ ok: true, cluster, objects }));
        } else if (manifests.length > 0) terminal.out(manifests.map(printManifests).join("\n---\n"));
        else terminal.say(`No binding has a target in cluster ${cluster}: the relay needs no rights there.`);
        return EXIT.done;
      }),
    );
};

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

const RELAY_GROUP = "secret-relay";
