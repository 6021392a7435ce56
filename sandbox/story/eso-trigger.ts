import { CreateSecretCommand, GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { triggerPermissions } from "../../shared/external-secrets/permissions.ts";
import { type EsoStandIn, startEsoStandIn } from "../external-secrets/eso-stand-in.ts";
import type { DeployedRelay } from "./deploy-relay.ts";
import { printMs } from "./narrator.ts";
import type { StoryWorld } from "./open-world.ts";
import { anyPassword, expectNoLeak, putPassword, short } from "./shop-database.ts";
import { expectThat } from "./story-problem.ts";
import type { StoryStep } from "./story-step.ts";

/** With External Secrets Operator: ESO keeps its Secrets, and the relay removes the wait. */
export const esoTrigger: StoryStep = {
  name: "eso-trigger",
  title: "External Secrets Operator keeps a Secret, and is called when its source changes",
  async run(world) {
    const { sandbox, narrator } = world;
    await installExternalSecrets(world);
    narrator.note("bindings.yaml has no binding; the cluster's entry names the namespaces of ESO's objects:");
    narrator.quote(BINDINGS);
    const first = anyPassword();
    await world.secretsManager.send(
      new CreateSecretCommand({ Name: SOURCE, SecretString: JSON.stringify({ password: first }) }),
    );
    const relay = await world.deployRelay(BINDINGS);
    const eso = startEso(world);
    try {
      await untilPassword(world, first);
      narrator.done(
        `ESO, simulated by a stand-in, created Secret ${NAMESPACE}/${NAME}; its next refresh would be in an hour`,
      );
      await expectNoSecretRights(world, relay);
      narrator.done("the relay may annotate ExternalSecrets there; reading that Secret gives 403");

      const servedBefore = valuesServed(sandbox);
      const second = anyPassword();
      const versionId = await putPassword(world, SOURCE, second);
      await sandbox.aws.events.settled();
      const delivery = relay.deliveries.at(-1);
      expectThat(
        delivery?.report !== undefined,
        `The event failed: ${delivery?.problem ?? "no event arrived"}`,
      );
      const { externalSecrets = [] } = delivery.report;
      const kinds = externalSecrets.map(({ object, kind }) => `${object} ${kind}`).sort();
      expectThat(
        kinds.join() === `${nameOf(ONCE)} ignored,${nameOf(NAME)} refreshed`,
        `ESO's objects had other outcomes: ${kinds.join(", ") || "none"}`,
      );
      narrator.done(
        `AWSCURRENT is version ${short(versionId)}: 2 of 3 ExternalSecrets read it, and the relay annotates the one that ESO will refresh`,
      );
      await untilPassword(world, second);
      narrator.done("ESO has refreshed it: the new password is in the Secret");
      const ignored = externalSecrets.find(({ kind }) => kind === "ignored");
      const code = ignored !== undefined && "code" in ignored ? ignored.code : "nothing";
      expectThat(code === "REFRESH_DISABLED", `What ESO ignores was reported as ${code}`);
      narrator.done(`the other has refreshInterval: 0, so ESO would ignore it; the relay reports ${code}`);
      const served = valuesServed(sandbox) - servedBefore;
      expectThat(served === 1, `${served} values were read for it, and ESO needs one`);
      narrator.done("values read: 1 by ESO, 0 by the relay (counted by their servers)");
      expectNoLeak([first, second], relay.log);

      narrator.result(
        delivery.ms,
        "from the event's arrival until ESO's refresh was observed, first connection included (measured, on this sandbox)",
      );
      narrator.note(
        `without the relay it takes up to ${printMs(60 * 60_000)}, half of that on average (computed, not measured)`,
      );
      return { ms: delivery.ms };
    } finally {
      await eso.stop();
    }
  },
};

const SOURCE = "prod/orders";
const NAMESPACE = "team-shop";
const NAME = "orders";
const ONCE = "copied-once";

const BINDINGS = `version: 1
clusters:
  prod:
    name: sandbox
    region: eu-west-1
    externalSecrets: { namespaces: [${NAMESPACE}] }
bindings: []
`;

const nameOf = (name: string): string => `ExternalSecret/${NAMESPACE}/${name}`;

/** The setup of a team with ESO: a store and ExternalSecrets, and the relay's permissions. */
async function installExternalSecrets({ admin, sandbox }: StoryWorld): Promise<void> {
  await create(admin, "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE },
  });
  const apiGroup = "rbac.authorization.k8s.io";
  const rbac = `/apis/${apiGroup}/v1/namespaces/${NAMESPACE}`;
  const common = { apiVersion: `${apiGroup}/v1`, metadata: { name: "secret-relay-trigger" } };
  const rules = triggerPermissions({ namespaces: [NAMESPACE] }).roles[NAMESPACE];
  await create(admin, `${rbac}/roles`, { ...common, kind: "Role", rules });
  await create(admin, `${rbac}/rolebindings`, {
    ...common,
    kind: "RoleBinding",
    roleRef: { apiGroup, kind: "Role", name: common.metadata.name },
    subjects: [{ apiGroup, kind: "Group", name: sandbox.kubernetes.relayGroup }],
  });

  const stores = `${ESO}/secretstores`;
  const aws = { service: "SecretsManager", region: sandbox.aws.region, prefix: "prod/" };
  await create(admin, stores, esoObject("SecretStore", "aws", { provider: { aws } }));
  const ready = { conditions: [{ type: "Ready", status: "True", reason: "Valid" }] };
  await admin.call(`${stores}/aws/status`, {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: { status: ready },
  });
  const reads = (key: string, refreshInterval: string) => ({
    secretStoreRef: { name: "aws", kind: "SecretStore" },
    refreshInterval,
    dataFrom: [{ extract: { key } }],
  });
  const externalSecrets = `${ESO}/externalsecrets`;
  await create(admin, externalSecrets, esoObject("ExternalSecret", NAME, reads("orders", "1h0m0s")));
  await create(admin, externalSecrets, esoObject("ExternalSecret", ONCE, reads("orders", "0s")));
  await create(admin, externalSecrets, esoObject("ExternalSecret", "other", reads("db", "1h0m0s")));
}

const ESO = `/apis/external-secrets.io/v1/namespaces/${NAMESPACE}`;

const esoObject = (kind: string, name: string, spec: object) => ({
  apiVersion: "external-secrets.io/v1",
  kind,
  metadata: { name, namespace: NAMESPACE },
  spec,
});

async function create(admin: StoryWorld["admin"], path: string, body: object): Promise<void> {
  const { status } = await admin.call(path, { method: "POST", body });
  expectThat(status === 201, `POST ${path} was answered with HTTP ${status}`);
}

function startEso({ admin, now, secretsManager }: StoryWorld): EsoStandIn {
  return startEsoStandIn({
    call: admin.call,
    namespace: NAMESPACE,
    now,
    readSource: async (key) => {
      const { SecretString = "{}" } = await secretsManager.send(new GetSecretValueCommand({ SecretId: key }));
      return JSON.parse(SecretString);
    },
  });
}

async function untilPassword({ admin }: StoryWorld, password: string): Promise<void> {
  const endsAt = performance.now() + ESO_MS_MAX;
  while ((await admin.readSecret(NAMESPACE, NAME))?.data.password !== password) {
    expectThat(performance.now() < endsAt, `ESO did not write Secret ${NAMESPACE}/${NAME} in time`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const name of [NAME, ONCE, "other"]) {
    while ((await admin.call(`${ESO}/externalsecrets/${name}`)).body.status?.refreshTime === undefined) {
      expectThat(performance.now() < endsAt, `ESO did not refresh ${nameOf(name)} in time`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

const ESO_MS_MAX = 20_000;

async function expectNoSecretRights(
  { admin, role, sandbox }: StoryWorld,
  relay: DeployedRelay,
): Promise<void> {
  const bearer = await relay.mintToken(sandbox.kubernetes.clusterName, role.issue());
  const secrets = `/api/v1/namespaces/${NAMESPACE}/secrets`;
  for (const path of [secrets, `${secrets}/${NAME}`]) {
    const status = await admin.statusOf(path, bearer);
    expectThat(status === 403, `The relay should not be allowed to read ${path}: HTTP ${status}`);
  }
}

const valuesServed = ({ aws }: StoryWorld["sandbox"]): number => aws.counters.secretValuesServed;
