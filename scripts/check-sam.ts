// Stops `npm run build && sam build` with one clear line if the SAM CLI on the PATH is too old for the functions. Without
// a SAM CLI it passes, as in CI and for plain CloudFormation. Takes about a second, which is the start of `sam`.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The first SAM CLI that knows nodejs24.x; 1.145 refuses it. */
const [MAJOR, MINOR] = [1, 148];

const { stdout } = await promisify(execFile)("sam", ["--version"], { timeout: 30_000 }).catch(() => ({
  stdout: "",
}));
const [, version = "", major, minor] = /\b((\d+)\.(\d+)\.\d+)/.exec(stdout) ?? [];
const isOlder = Number(major) < MAJOR || (Number(major) === MAJOR && Number(minor) < MINOR);
if (version !== "" && isOlder) {
  process.stderr.write(
    `The SAM CLI is too old: the functions run on nodejs24.x, which needs SAM CLI ${MAJOR}.${MINOR} or later; this is ${version}. Update it: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/manage-sam-cli-versions.html\n`,
  );
  process.exitCode = 1;
}
