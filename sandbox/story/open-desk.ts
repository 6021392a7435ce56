import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommandLine } from "../../cli/run-command-line.ts";
import { waitFor } from "../../shared/runtime/retry.ts";
import { kubeconfigFor } from "../kubernetes/kubeconfig.ts";
import type { StoryWorld } from "./open-world.ts";

export type CommandOutput = { readonly exitCode: number; readonly printed: string; readonly ms: number };

/** Where an operator runs the command: a folder with bindings.yaml and a kubeconfig. */
export type Desk = {
  run(...words: readonly string[]): Promise<CommandOutput>;
  writeBindings(bindings: string): Promise<void>;
  close(): Promise<void>;
};

/** The command runs in this process, with the AWS credentials of the story; `options` are added to each command. */
export async function openDesk(
  { sandbox, bindings, now }: StoryWorld,
  options: readonly string[] = [],
): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), "secret-relay-"));
  const writeBindings = (text: string) => writeFile(join(folder, "bindings.yaml"), text);
  await writeBindings(bindings);
  const { aws, kubernetes } = sandbox;
  const kubeconfig = kubeconfigFor(kubernetes, aws.accountId, { token: kubernetes.adminToken });
  await writeFile(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
  const env = { KUBECONFIG: join(folder, "kubeconfig") };
  return {
    run: async (...words) => {
      const lines: string[] = [`$ secret-relay ${words.join(" ")}`];
      const say = (text: string) => void lines.push(text);
      const startedAt = performance.now();
      const exitCode = await runCommandLine([...words, ...options], {
        env,
        cwd: folder,
        readStdin: async () => "",
        now,
        wait: waitFor,
        terminal: {
          out: say,
          say,
          paint: (_style, text) => text,
          paintMessage: (_style, text) => text,
          width: 90,
          showsProgress: false,
          progress: () => {},
          clear: () => {},
          canAsk: false,
        },
      });
      return { exitCode, printed: lines.join("\n"), ms: performance.now() - startedAt };
    },
    writeBindings,
    close: () => rm(folder, { recursive: true }),
  };
}
