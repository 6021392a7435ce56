/**
 * The way that imports may go. The flow of docs/internals/architecture.md runs one way, what decides is pure, and
 * nothing that is deployed leans on what only tries or tests it.
 */
const AWS_OR_KUBERNETES = "^node_modules/(@aws-sdk|@kubernetes|@smithy|@aws-lambda-powertools|@middy)/";

/** What each folder of shared/ may import from shared/, beside itself: a folder, or a part of one. */
const MAY_IMPORT = {
  runtime: [],
  source: ["runtime"],
  events: ["source/[^/]+$"],
  bindings: ["runtime", "source/[^/]+$"],
  render: ["bindings", "source/[^/]+$"],
  cluster: ["bindings", "runtime", "source/[^/]+$"],
  assess: ["bindings", "cluster", "render", "source/[^/]+$"],
  workloads: ["bindings", "cluster", "runtime", "source/[^/]+$"],
  "external-secrets": ["bindings", "cluster", "runtime", "source/[^/]+$"],
  sync: ["assess", "bindings", "cluster", "render", "runtime", "source", "workloads"],
  sweep: ["assess", "bindings", "cluster", "render", "runtime", "source", "sync", "workloads"],
  permissions: ["bindings", "external-secrets", "workloads"],
  relay: ["bindings", "cluster", "external-secrets", "runtime", "source", "sync", "workloads"],
};

/** What each folder may import from the repository, beside itself. test/ has no entry: tests may import every folder. */
const FOLDER_MAY_IMPORT = {
  shared: [],
  functions: ["shared/"],
  cli: ["shared/", "package\\.json$"],
  sandbox: ["cli/", "functions/", "shared/"],
  bench: [
    "cli/publish/",
    "cli/live/(aws-session|options)\\.ts$",
    "cli/tune/known-numbers\\.ts$",
    "cli/verify/",
    "sandbox/",
    "scripts/bundle\\.ts$",
    "shared/",
    "test/harness/",
    "test/real/aws/start\\.ts$",
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
    pathNot: [`^shared/${folder}/`, ...allowed.map((part) => `^shared/${part}`), "^shared/relay-error\\.ts$"],
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
        path: "^shared/(assess|events|permissions|render)/|^shared/source/[^/]+$|^shared/bindings/(expressions/|relay-identity)|^shared/(workloads/(plan-restart|uses-secret)|external-secrets/(find-affected|skip-reason|refresh|nudge|sync-window|parse-.*|match-name))\\.ts$",
      },
      to: {
        path: [AWS_OR_KUBERNETES, "^(node:)?(https?|net|tls|fs|timers|child_process)"],
        // Powertools' JMESPath interpreter computes: it calls nothing.
        pathNot: "^node_modules/@aws-lambda-powertools/jmespath/",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "one-folder-calls-secrets-manager",
      comment: "Everything else uses the Source interface (shared/source/source.ts).",
      severity: "error",
      from: { path: "^(functions|shared|cli)/", pathNot: "^shared/source/secrets-manager/" },
      to: { path: "^node_modules/@aws-sdk/client-secrets-manager/" },
    },
    {
      name: "functions-have-no-s3-client",
      comment: "It would add 578 kB to a bundle. The functions sign their one GET themselves.",
      severity: "error",
      from: { path: "^(functions|shared)/" },
      to: { path: "^node_modules/@aws-sdk/client-s3/" },
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
          "^shared/(bindings/check-rules|bindings/expressions/|external-secrets/match-name|render/(compose-data|check-(type|ssh-key|docker-config)))",
      },
      to: {
        path: "^shared/(bindings/expressions/(?!json-tree)|render/(compose-data|check-(type|ssh-key|docker-config)))|^node_modules/liquidjs/",
        dependencyTypesNot: ["dynamic-import", "type-only"],
      },
    },
    {
      name: "no-trigger-mode-at-cold-start",
      comment: "It is behind an import() in open-relay.ts, for clusters whose entry says externalSecrets.",
      severity: "error",
      from: {
        path: "^(functions|shared)/",
        pathNot: "^shared/(external-secrets|permissions)/|^shared/relay/trigger\\.ts$",
      },
      to: {
        path: "^shared/external-secrets/|^shared/relay/trigger\\.ts$",
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
