import { listCommands } from "../examples.ts";
import { createSourceCommand } from "../verify/canary.ts";
import type { InitResult } from "./run-init.ts";

/** The commands to run after `init`. Pure. */
export function nextSteps(
  { clusters, canary }: Pick<InitResult, "clusters" | "canary">,
  env: NodeJS.ProcessEnv,
): string {
  const several = clusters.length > 1 ? ` --cluster ${clusters[0]}` : "";
  // npm sets this for npx, whose commands are not on the PATH.
  const command = env.npm_command === "exec" ? "npx secret-relay" : "secret-relay";
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
