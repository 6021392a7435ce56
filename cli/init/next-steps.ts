import { listCommands } from "../examples.ts";

/** What to type after `init`, as it can be typed where the command was started. Pure. */
export function nextSteps(clusters: readonly string[], env: NodeJS.ProcessEnv): string {
  const several = clusters.length > 1 ? ` --cluster ${clusters[0]}` : "";
  // npm says so to what npx runs. A command that is only there through npx is not found under its bare name.
  const typed = env.npm_command === "exec" ? "npx secret-relay" : "secret-relay";
  return listCommands("Next:", [
    [`${typed} plan`, "what would be written"],
    [`${typed} rbac${several} | kubectl apply -f -`, "let the relay write these Secrets"],
    ["npm run build && sam build && sam deploy", "deploy it"],
    [`${typed} sync --all`, "first sync, from here"],
    [`${typed} doctor`, "see that all is well"],
  ]);
}
