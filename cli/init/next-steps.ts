import { listCommands } from "../examples.ts";

/** The commands to run after `init`. Pure. */
export function nextSteps(clusters: readonly string[], env: NodeJS.ProcessEnv): string {
  const several = clusters.length > 1 ? ` --cluster ${clusters[0]}` : "";
  // npm sets this for npx, whose commands are not on the PATH.
  const command = env.npm_command === "exec" ? "npx secret-relay" : "secret-relay";
  return listCommands("Next:", [
    [
      "npm run build && sam build && sam deploy",
      "deploy the functions; until you publish, they write nothing",
    ],
    [`${command} rbac${several} | kubectl apply -f -`, "grant the relay its permissions in the cluster"],
    [`${command} publish`, "put the bindings in force; the Secrets follow within seconds"],
    [`${command} doctor`, "check the installation"],
  ]);
}
