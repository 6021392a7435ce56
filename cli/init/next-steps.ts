import { listCommands } from "../examples.ts";
import { createSourceCommand } from "../verify/canary.ts";
import type { InitResult } from "./run-init.ts";

/** The commands to run after `init`. Pure. */
export function nextSteps(
  { clusters, canary }: Pick<InitResult, "clusters" | "canary">,
  env: NodeJS.ProcessEnv,
): string {
  const several = clusters.length > 1 ? ` --cluster ${clusters[0]}` : "";
  const command = commandOf(env);
  return listCommands("Next:", [
    ...(canary?.isMissing ? [[createSourceCommand(canary.source), "create the canary"] as const] : []),
    [
      "npm run build && sam build && sam deploy",
      "deploy the functions; until you publish, they write nothing",
    ],
    [`${command} rbac${several} | kubectl apply -f -`, "grant the relay its permissions in the cluster"],
    [`${command} publish`, "put the bindings in force; the Secrets follow within seconds"],
    [`${command} doctor`, "check the installation"],
    ...(canary ? [[`${command} verify`, "prove it: rotate the canary, and see it arrive"] as const] : []),
  ]);
}

/** npm sets npm_command for npx, whose commands are not on the PATH, and npm_config_package for `npx --package`. */
function commandOf({ npm_command: started, npm_config_package: file = "" }: NodeJS.ProcessEnv): string {
  if (started !== "exec") return "secret-relay";
  return file === "" ? "npx secret-relay" : `npx --package ${file} secret-relay`;
}
