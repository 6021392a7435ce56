import { confirm, isCancel } from "@clack/prompts";

/** Asks on stderr, like all messages. No answer means no. */
export async function askToContinue(message: string): Promise<boolean> {
  const answer = await confirm({ message, initialValue: false, output: process.stderr });
  return !isCancel(answer) && answer;
}
