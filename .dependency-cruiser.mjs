/**
 * The way that imports may go. The flow of docs/architecture.md runs one way, what decides is pure, and nothing that is
 * deployed leans on what only tries or tests it.
 */
const AWS_OR_KUBERNETES = "^node_modules/(@aws-sdk|@kubernetes|@smithy|@aws-lambda-powertools|@middy)/";

/** What each folder of shared/ may import from shared/, beside itself. */
const MAY_IMPORT = {
  "secret-value": [],
  "secret-id": [],
  "time-budget": [],
  "aws-client": [],
  configuration: [],
  retry: ["time-budget"],
  events: ["secret-id"],
  expressions: [],
  identity: ["secret-id"],
  bindings: ["expressions", "identity", "secret-id"],
  render: ["bindings", "expressions", "identity", "secret-id", "secret-value"],
  assess: ["bindings", "cluster", "identity", "render", "secret-id", "source"],
  source: ["aws-client", "secret-id", "secret-value", "time-budget"],
  cluster: ["aws-client", "bindings", "retry", "secret-value", "time-budget"],
  "external-secrets": ["bindings", "cluster", "expressions", "retry", "secret-id", "time-budget"],
  workloads: ["bindings", "cluster", "identity", "retry", "secret-id", "time-budget"],
  sync: [
    "assess",
    "bindings",
    "cluster",
    "identity",
    "render",
    "retry",
    "secret-id",
    "source",
    "time-budget",
    "workloads",
  ],
  sweep: [
    "assess",
    "aws-client",
    "bindings",
    "cluster",
    "identity",
    "render",
    "secret-id",
    "source",
    "sync",
    "time-budget",
    "workloads",
  ],
  rights: ["bindings", "external-secrets", "workloads"],
  observability: ["assess", "bindings", "external-secrets", "sweep", "sync", "workloads"],
  webhook: ["events", "secret-id", "secret-value", "time-budget"],
  wiring: [
    "bindings",
    "cluster",
    "configuration",
    "external-secrets",
    "identity",
    "observability",
    "retry",
    "secret-id",
    "source",
    "sync",
    "time-budget",
    "workloads",
  ],
};

/**
 * What each folder may import from the repository, beside itself. test/ has no entry: tests may import every folder.
 *
 * bench/ and chaos/ drive the same backends as the tests, so they share the tests' harness: exactly these files of it.
 */
const FOLDER_MAY_IMPORT = {
  shared: [],
  functions: ["shared/"],
  cli: ["shared/", "package\\.json$"],
  sandbox: ["cli/", "functions/", "shared/"],
  chaos: [
    "functions/",
    "sandbox/",
    "shared/",
    "test/contract/(backend|kubernetes-request|relay)\\.ts$",
    "test/hygiene/canary\\.ts$",
    "test/marks\\.ts$",
    "test/real/control-plane/start\\.ts$",
  ],
  bench: [
    "sandbox/",
    "scripts/bundle\\.ts$",
    "shared/",
    "test/contract/(backend|relay|scene)\\.ts$",
    "test/marks\\.ts$",
    "test/(real|sandbox)/start-backend\\.ts$",
    "test/reconcile/(build-reconcile|start-lambda-process)\\.ts$",
    "test/rotation/build-function\\.ts$",
    "test/sweep/(drifts|fleet)\\.ts$",
  ],
  scripts: ["cli/", "package\\.json$", "shared/"],
  bin: ["cli/main\\.ts$"],
};

const folders = Object.entries(FOLDER_MAY_IMPORT).map(([folder, allowed]) => ({
  name: `${folder}-imports-only-allowed-folders`,
  severity: "error",
  from: { path: `^${folder}/` },
  to: { dependencyTypes: ["local"], pathNot: `^(${[`${folder}/`, ...allowed].join("|")})` },
}));

const stages = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `shared-${folder}-imports-only-what-its-stage-needs`,
  severity: "error",
  from: { path: `^shared/${folder}/` },
  to: {
    path: "^shared/",
    pathNot: [`^shared/(${[folder, ...allowed].join("|")})/`, "^shared/relay-error\\.ts$"],
  },
}));

export default {
  forbidden: [
    ...folders,
    ...stages,
    {
      name: "every-folder-of-shared-has-a-rule",
      comment: "A new stage says in MAY_IMPORT what it leans on.",
      severity: "error",
      from: {
        path: "^shared/",
        pathNot: [`^shared/(${Object.keys(MAY_IMPORT).join("|")})/`, "^shared/[^/]+$"],
      },
      to: {},
    },
    {
      name: "what-decides-is-pure",
      comment: "events, bindings' index, render and assess know no client, no network and no clock.",
      severity: "error",
      from: {
        path: "^shared/(assess|events|identity|rights|secret-id|secret-value|render)/|^shared/(workloads/(plan-restart|uses-secret)|external-secrets/(find-concerned|obstacle|refresh|nudge|sync-window|parse-.*|match-name))\\.ts$",
      },
      to: {
        path: [AWS_OR_KUBERNETES, "^(node:)?(https?|net|tls|fs|timers|child_process)"],
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "no-parser-at-cold-start",
      comment: "YAML and the validator are behind an import() in read-compiled-bindings.ts.",
      severity: "error",
      from: { path: "^(functions|shared)/", pathNot: "^shared/bindings/" },
      to: { path: "^node_modules/(yaml|ajv|ajv-formats)/" },
    },
    {
      name: "no-language-at-cold-start",
      comment:
        "JMESPath, LiquidJS and X.509 are behind an import() in load-renderers.ts, for bindings that use them.",
      severity: "error",
      from: {
        path: "^(functions|shared)/",
        pathNot:
          "^shared/(bindings/check-meaning|expressions/|external-secrets/match-name|render/(compose-data|check-type))",
      },
      to: {
        path: "^shared/(expressions/(?!json-tree)|render/(compose-data|check-type))|^node_modules/liquidjs/",
        dependencyTypesNot: ["dynamic-import", "type-only"],
      },
    },
    {
      name: "no-trigger-mode-at-cold-start",
      comment: "It is behind an import() in wire-relay.ts, for clusters whose entry says externalSecrets.",
      severity: "error",
      from: {
        path: "^(functions|shared)/",
        pathNot:
          "^shared/(external-secrets|rights)/|^shared/(wiring/trigger|observability/report-trigger)\\.ts$",
      },
      to: {
        path: "^shared/external-secrets/|^shared/(wiring/trigger|observability/report-trigger)\\.ts$",
        dependencyTypesNot: ["dynamic-import", "type-only"],
      },
    },
    {
      name: "functions-do-not-know-each-other",
      severity: "error",
      from: { path: "^functions/([^/]+)/" },
      to: { path: "^functions/", pathNot: "^functions/$1/" },
    },
    {
      name: "the-sandbox-does-not-judge-with-the-product",
      comment:
        "A stand-in that shares code with what it judges shares its bugs. Only the story drives the product.",
      severity: "error",
      from: { path: "^sandbox/", pathNot: "^sandbox/story[./]" },
      to: { path: "^(functions|shared|cli)/" },
    },
    {
      name: "test-files-are-not-imported",
      comment: "Importing a test file runs its tests a second time. What tests share is in files of its own.",
      severity: "error",
      from: {},
      to: { path: "\\.test\\.ts$" },
    },
    {
      name: "no-circles",
      comment: "Imports of types count: a file in a circle can't be read or moved without the others.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    { name: "nothing-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
