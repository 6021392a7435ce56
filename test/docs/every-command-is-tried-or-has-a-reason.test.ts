import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sweepReport } from "../report/factories.ts";
import { blocksOf, pageOf, pages, ROOT } from "./markdown.ts";

// The commands that a reader copies. Those that need no AWS account run in a copy of the repository, as a fresh clone
// after `npm ci`, so that they change no file of the checkout; each of the others names its own test. About 3 s.

const lines = pages.flatMap((page) => blocksOf(page, "sh").flatMap(linesOf));
const commands = [...new Set(lines.flatMap((line) => line.split(" && ")))];

/** Run here, with a check of the result. */
const TRIED: Readonly<Record<string, (clone: string, output: string) => void>> = {
  "npm start": (_clone, output) => expect(output).toMatch(/new password is in the Secret: yes/),
  "npm run build": (clone) => {
    for (const name of ["rotation", "reconcile", "webhook"]) {
      expect(existsSync(join(clone, "dist", name, "handler.mjs"))).toBe(true);
    }
  },
  "npx secret-relay validate": (_clone, output) => expect(output).toMatch(/bindings\.yaml is valid/),
  "npx secret-relay rbac > secret-relay-rbac.yaml": isARole,
  "npx secret-relay rbac --cluster prod > secret-relay-rbac.yaml": isARole,
  "npx secret-relay iam --parameters --account 111122223333 --region eu-west-1": (_clone, output) =>
    expect(output).toMatch(/"SecretArns=arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod\/db-/),
  "npx secret-relay tune": (_clone, output) => expect(output).toMatch(/The relay/),
  "npx secret-relay report --from report.json": (clone) =>
    expect(readFileSync(join(clone, "report.html"), "utf8")).toMatch(/<h1>Fleet report<\/h1>/),
};

function isARole(clone: string): void {
  const text = readFileSync(join(clone, "secret-relay-rbac.yaml"), "utf8");
  expect(text).toMatch(/^kind: Role$/m);
  expect(text).toMatch(/^kind: RoleBinding$/m);
}

/** Not run here: where they run instead, or why they cannot run. */
const NOT_TRIED: readonly { command: RegExp; because: string; seenIn?: [file: string, text: RegExp] }[] = [
  {
    command: /^npx node sandbox\/serve\.ts$/,
    because: "it runs until it is stopped; a test starts it",
    seenIn: ["test/sandbox/kubectl.test.ts", /sandbox\/serve\.ts/],
  },
  {
    command: /^source \.sandbox\/env$/,
    because: "`serve.ts` writes that file",
    seenIn: ["sandbox/serve.ts", /"env"/],
  },
  {
    command:
      /^(read -rs PASSWORD|printf .* \| kubectl patch secret db .*|kubectl annotate secret db .*hold-until.*)$/,
    because: "the-first-page-of-the-runbook-works.test.ts types them on the sandbox",
    seenIn: ["test/docs/the-first-page-of-the-runbook-works.test.ts", /typeInShell\(writeByHand/],
  },
  {
    command: /^npx secret-relay init --prefix prod\/( --canary)?$/,
    because: "needs an AWS account; it is tried on the sandbox",
    seenIn: ["test/cli/init-leads-to-a-first-sync.test.ts", /"--prefix"/],
  },
  {
    command: /^npx secret-relay doctor$/,
    because: "needs AWS and a cluster; it is tried on the sandbox",
    seenIn: ["test/cli/the-doctor-names-each-fault-and-its-fix.test.ts", /"doctor"/],
  },
  {
    command: /^(sam delete|aws cloudformation describe-stack-events|aws eks delete-access-entry) .*$/,
    because: "needs an AWS account",
  },
  {
    command: /^npx secret-relay rbac \| kubectl delete -f -$/,
    because: "needs a cluster; a copy without the pipe is run here",
  },
  {
    command: /^npx secret-relay (status|sync|sweep) ?.*$/,
    because: "the-first-page-of-the-runbook-works.test.ts runs them on the sandbox",
    seenIn: ["test/docs/the-first-page-of-the-runbook-works.test.ts", /runs as it is written/],
  },
  {
    command: /^npx secret-relay (publish( --dry-run --plan)?|bindings (history|show|rollback) ?.*)$/,
    because: "needs AWS; each form is tried on the sandbox",
    seenIn: [
      "test/cli/bindings-are-published.test.ts",
      /"publish", "--dry-run", "--plan"[\s\S]*"bindings", "history"[\s\S]*"--generation", "1"[\s\S]*"rollback", "--yes"/,
    ],
  },
  {
    command: /^npx secret-relay hold [\w/]+ (--for 2h|--release)$/,
    because: "needs AWS and a cluster; both forms are tried on the sandbox",
    seenIn: [
      "test/cli/every-command-shows-the-same-row.test.ts",
      /"hold", secret\(\), "--for", "2h"[\s\S]*"hold", secret\(\), "--release"/,
    ],
  },
  {
    command: /^npx secret-relay claim$/,
    because: "needs AWS and a cluster; it is tried on the sandbox",
    seenIn: ["test/cli/a-secret-is-claimed.test.ts", /rowFrom\("claim"\)/],
  },
  {
    command: /^npx secret-relay claim [\w/]+ --yes$/,
    because: "needs AWS and a cluster; it is tried on the sandbox",
    seenIn: ["test/cli/every-command-shows-the-same-row.test.ts", /"claim", secret\(\), "--yes"/],
  },
  {
    command: /^npx secret-relay verify$/,
    because: "needs AWS and a stack; it is tried on the sandbox",
    seenIn: ["test/cli/an-installation-is-verified.test.ts", /desk\.runJson\("verify", \.\.\.words\)/],
  },
  {
    command:
      /^aws secretsmanager create-secret --name prod\/secret-relay\/canary --secret-string '\{"verify":"new"\}'$/,
    because: "needs an AWS account; the command prints the same",
    seenIn: [
      "cli/verify/canary.ts",
      /aws secretsmanager create-secret --name \$\{name\} --secret-string '\{"verify":"new"\}'/,
    ],
  },
  {
    command: /^npm run bench -- aws --samples 10$/,
    because: "needs AWS and a stack; it is tried on the sandbox",
    seenIn: ["test/cli/an-installation-is-verified.test.ts", /"bench\/run\.ts", "aws"/],
  },
  {
    command: /^npx secret-relay publish$/,
    because: "needs AWS and a stack; it is tried on the sandbox",
    seenIn: ["test/cli/bindings-are-published.test.ts", /"publish", "--yes"/],
  },
  {
    command: /^npm run chaos -- /,
    because: "test/long/chaos runs smaller ones of the same",
    seenIn: ["test/long/chaos/run-chaos.ts", /chaos\/run\.ts/],
  },
  { command: /^npm ci$/, because: "CI begins with it", seenIn: [".ci/run", /^npm ci\b/m] },
  { command: /^npm test$/, because: "this test is a part of it", seenIn: [".ci/run", /^npm test$/m] },
  { command: /^npm run fix$/, because: "it writes what `npm test` asks for" },
  { command: /^npx vitest run --project sandbox test\/sync$/, because: "`npm test` runs that folder too" },
  {
    command: /^npx node scripts\/generate-[a-z-]+\.ts$/,
    because: "references-are-up-to-date.test.ts runs the same code",
  },
  {
    command: /^npm run test:long$/,
    because: "CI runs it",
    seenIn: [".ci/run", /^npm run test:long$/m],
  },
  {
    command: /^npm run test:real$/,
    because: "CI runs it",
    seenIn: [".ci/run", /^npm run test:real$/m],
  },
  {
    command: /^npm run test:emulator$/,
    because: "it needs Python 3.13, which CI may not have",
    seenIn: ["package.json", /"test:emulator": "/],
  },
  {
    command: /^sam build$/,
    because: "the tests on real servers run it",
    seenIn: ["test/real/sam/sam.test.ts", /tool\("sam", "build"\)/],
  },
  {
    command: /^sam deploy$/,
    because: "needs an AWS account; SAM reads samconfig.toml in the tests on real servers",
    seenIn: ["test/real/sam/sam-reads-what-init-writes.test.ts", /await optionsOf\(initFiles\(/],
  },
  {
    command: /^npx secret-relay init$/,
    because: "needs an AWS account; it is tried on the sandbox",
    seenIn: ["test/cli/init-leads-to-a-first-sync.test.ts", /desk\.run\("init", \.\.\.bind\(\)\)/],
  },
  {
    command: /^npm run release$/,
    because: "needs Python; the tests on real servers run it",
    seenIn: ["test/real/sam/copy-of-the-repository.ts", /"scripts\/release\.ts"/],
  },
  {
    command: /^aws s3 cp dist\/release s3:\/\/BUCKET\/secret-relay\/ --recursive$/,
    because: "needs an AWS account; the template reads from below that prefix",
    seenIn: ["test/real/sam/a-release-is-plain-cloudformation.test.ts", /CodePrefix: "relay\/"/],
  },
  {
    command:
      /^aws cloudformation deploy --template-file monitoring\.yaml --stack-name secret-relay-monitoring --parameter-overrides RelayName=secret-relay$/,
    because: "needs an AWS account; cfn-lint checks the template and its size",
    seenIn: ["test/real/sam/sam.test.ts", /51_200/],
  },
  {
    command:
      /^aws cloudformation deploy --stack-name secret-relay --template-file dist\/release\/secret-relay\.template\.json --s3-bucket BUCKET --capabilities CAPABILITY_IAM --parameter-overrides CodeBucket=BUCKET CodePrefix=secret-relay\/ SecretNamePrefix=prod\/$/,
    because: "needs an AWS account; cfn-lint checks the template",
    seenIn: ["test/real/sam/a-release-is-plain-cloudformation.test.ts", /bin\/cfn-lint/],
  },
  {
    command: /^sam deploy --parameter-overrides ExistingBindingsBucket=NAME$/,
    because: "needs an AWS account; the roles of such a stack are tried by the IAM contract",
    seenIn: ["test/contract/iam-contract.ts", /ExistingBindingsBucket: store\.bucket\.name/],
  },
  {
    command:
      /^aws ec2 create-vpc-endpoint --vpc-id VPC --service-name \S+\.s3 --route-table-ids ROUTE_TABLE$/,
    because: "needs an AWS account",
  },
  {
    command: /^sam remote invoke RotationFunction --stack-name [\w-]+ --event '\{"secretId":"[\w/]+"\}'$/,
    because: "needs an AWS account; the input is tried by the rotation contract",
    seenIn: ["template.yaml", /^ {2}RotationFunction:$/m],
  },
  {
    command:
      /^sam remote invoke ReconcileFunction --stack-name [\w-]+ --event '\{"sweep":"metadata"(,"plan":true)?\}'$/,
    because: "needs an AWS account; both inputs are tried by the sweep contract",
    seenIn: ["template.yaml", /^ {2}ReconcileFunction:$/m],
  },
  {
    command:
      /^aws eks create-access-entry --cluster-name CLUSTER --principal-arn \w+ --kubernetes-groups secret-relay$/,
    because: "needs an AWS account; an output of the stack says the same",
    seenIn: [
      "template.yaml",
      /aws eks create-access-entry --cluster-name CLUSTER --principal-arn \S+ --kubernetes-groups \$\{RelayName\}/,
    ],
  },
  {
    command: /^npx secret-relay trigger [\w/]+$/,
    because: "needs AWS and a cluster; both ways to name something are tried by the trigger contract",
    seenIn: ["test/contract/trigger-contract.ts", /desk\.runJson\("trigger", words\)/],
  },
  {
    command:
      /^aws secretsmanager update-secret-version-stage --secret-id prod\/db --version-stage AWSCURRENT --move-to-version-id PREVIOUS --remove-from-version-id CURRENT$/,
    because:
      "needs an AWS account; the sandbox moves the label in the same way, and the contract of rotations follows it",
    seenIn: ["test/contract/rotation-contract.ts", /rollback|roll back|rolled back/i],
  },
  {
    command:
      /^aws events put-permission --event-bus-name default .*--action events:PutEvents --principal \d{12}$/,
    because: "needs an AWS account; the rule that sends there is looked at below",
    seenIn: ["docs/deploy.md", /^# forward-events\.yaml/m],
  },
  {
    command: /^npx secret-relay rbac --check$/,
    because: "needs a cluster; the command has tests of its own",
  },
  {
    command:
      /^npx secret-relay import-eso manifests\/ --account 111122223333 --cluster-name prod-eks --out bindings\.yaml$/,
    because: "needs manifests; its own test reads files and folders of them",
    seenIn: [
      "test/import-eso/secret-relay-import-eso.test.ts",
      /run\("good\.yaml", "--out", "bindings\.yaml"/,
    ],
  },
  {
    command: /^npx secret-relay import-eso manifests\/ --expand-find --out bindings\.yaml$/,
    because: "needs manifests and secrets in AWS; its contract has both",
    seenIn: ["test/contract/find-contract.ts", /import-eso es\.json --expand-find/],
  },
  {
    command: /^npx secret-relay import-eso (--live --context prod --out|--check --bindings) bindings\.yaml$/,
    because: "needs a cluster; the takeover contract takes both steps",
    seenIn: [
      "test/contract/takeover-contract.ts",
      /importLive\("--out", "bindings\.yaml"\)[\s\S]*"import-eso", "--check", "--bindings", "bindings\.yaml"/,
    ],
  },
  {
    command:
      /^( *kubectl (get|patch|delete|annotate|label) .*(secret|externalsecret|\$name|names\)).*|for name in .*|done)$/,
    because:
      "needs a cluster; the documented takeover runs these blocks in a shell, on the sandbox and on real servers",
    seenIn: ["test/contract/documented-takeover-contract.ts", /docs\/migrate-from-eso\.md/],
  },
  {
    command: /^npx secret-relay rbac \| kubectl apply -f -$/,
    because: "needs a cluster; a copy without the pipe is run here, and the Role is tried by the contracts",
  },
  { command: /^kubectl apply -f [\w.-]+$/, because: "needs a cluster; the Role is tried by the contracts" },
];

let clone: string;
let outputs: ReadonlyMap<string, string>;

beforeAll(async () => {
  clone = mkdtempSync(join(tmpdir(), "secret-relay-clone-"));
  const parts = [
    "LICENSE",
    "bin",
    "bindings.yaml",
    "cli",
    "functions",
    "package.json",
    "sandbox",
    "scripts",
    "shared",
  ];
  for (const part of parts) cpSync(join(ROOT, part), join(clone, part), { recursive: true });
  writeFileSync(join(clone, "report.json"), JSON.stringify(sweepReport({ bindings: 3, checked: 3 })));
  symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"));
  const runs = Object.keys(TRIED).map(async (command) => [command, await run(command)] as const);
  outputs = new Map(await Promise.all(runs));
}, 60_000);

afterAll(() => rmSync(clone, { recursive: true, force: true }));

it("the pages contain commands", () =>
  expect(commands).toEqual(expect.arrayContaining(["npm start", "sam build"])));

describe.each(commands)("%s", (command) => {
  const tried = TRIED[command];
  const excuse = NOT_TRIED.find((one) => one.command.test(command));

  it("is covered by this test", () => expect(tried !== undefined || excuse !== undefined).toBe(true));

  if (tried !== undefined) it("has the documented result", () => tried(clone, outputs.get(command) ?? ""));

  if (excuse?.seenIn !== undefined) {
    const [file, text] = excuse.seenIn;
    it(`is not run here: ${excuse.because}`, () =>
      expect(readFileSync(join(ROOT, file), "utf8")).toMatch(text));
  }
});

it("the README shows the real output of npm start", () => {
  const [shown = ""] = blocksOf(pageOf("README.md"), "text");
  const printed = (outputs.get("npm start") ?? "").split("\n").map(withoutNumbers);

  const lines = linesOf(shown);

  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) expect(printed).toContain(withoutNumbers(line));
});

/** Runs in a shell without an AWS account and without a cluster. */
async function run(command: string): Promise<string> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = {
    PATH,
    NODE_COMPILE_CACHE,
    HOME: clone,
    npm_config_update_notifier: "false",
    npm_config_offline: "true",
  };
  const { stdout, stderr } = await promisify(execFile)("bash", ["-c", command], { cwd: clone, env });
  return stdout + stderr;
}

function linesOf(block: string): string[] {
  return block.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

/** Versions and measured times differ from run to run. */
function withoutNumbers(line: string): string {
  return line
    .replace(/[0-9a-f]{8}…/g, "VERSION")
    .replace(/\d+\.\d (ms|s)\b/g, "TIME")
    .replace(/… \d+[smh]\b/g, "… AGE")
    .replace(/ {2,}/g, "  ");
}
