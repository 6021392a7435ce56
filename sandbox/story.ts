/**
 * `npm start`: shows what the relay does, on the sandbox, in this process. It needs nothing but node_modules, sends
 * nothing off this machine, and takes a few seconds.
 *
 *   npm start                for readers
 *   npm start -- --json      one JSON object on stdout, for a script
 *
 * Exit code 0: every step succeeded; 1: a step failed; 2: the command line is wrong.
 */
import { suggestName } from "../shared/bindings/suggest-name.ts";
import { narratorOn, printMs, silentNarrator } from "./story/narrator.ts";
import { openWorld } from "./story/open-world.ts";
import { runStory, type StoryReport } from "./story/run-story.ts";
import { STEPS } from "./story/steps.ts";
import { problemOf } from "./story/story-problem.ts";

async function main(words: readonly string[]): Promise<number> {
  const unknown = words.find((word) => !FLAGS.includes(word));
  if (unknown !== undefined) {
    const meant = suggestName(unknown, FLAGS);
    process.stderr.write(`Unknown argument ${unknown}.${meant ? ` Did you mean ${meant}?` : ""}\n\n${USAGE}`);
    return 2;
  }
  if (words.includes("--help")) {
    process.stdout.write(USAGE);
    return 0;
  }
  const isForScript = words.includes("--json");
  const report = await playStory(isForScript ? silentNarrator : narratorOn(process.stdout));
  if (isForScript) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.ok ? 0 : 1;
}

async function playStory(narrator = silentNarrator): Promise<StoryReport> {
  const startedAt = performance.now();
  narrator.intro(
    "eks-secret-relay on its sandbox: an AWS account and an EKS cluster in this process, over TLS.",
  );
  try {
    const world = await openWorld(narrator);
    const report = await runStory(STEPS, world, narrator);
    await world.close();
    narrator.end(report.ok, `${report.steps.length} steps in ${printMs(performance.now() - startedAt)}`);
    return report;
  } catch (error) {
    process.stderr.write(`The story could not start: ${problemOf(error)}\n`);
    return { ok: false, steps: [] };
  }
}

const FLAGS = ["--json", "--help"];
const USAGE = `Usage: npm start [-- --json]

Tells the story of the relay on the sandbox: ${STEPS.map(({ name }) => name).join(", ")}.

  --json  print one JSON object on stdout: {"ok":true,"steps":[{"name":"rotation","ok":true,"ms":12.3}]}
  --help  print this
`;

process.exitCode = await main(process.argv.slice(2));
