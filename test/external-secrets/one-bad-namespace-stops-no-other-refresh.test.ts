import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import type { FaultKind } from "../../sandbox/kubernetes/faults.ts";
import { externalSecretsResources } from "../../sandbox/kubernetes/resources.ts";
import { esoScene } from "../harness/eso-scene.ts";
import { labelUpdated, pinnedCluster, startRelay } from "../harness/relay.ts";
import { openScene } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const used = useBackend(() => startSandboxBackend({ resources: externalSecretsResources("v1") }));
const at = useScene(used);

const refusal = (status: number, message: string): FaultKind => ({ kind: "refusal", status, message });

it.each([
  {
    it: "a policy denies the annotation",
    verb: "patch",
    fault: refusal(
      422,
      `externalsecrets "db" is forbidden: ValidatingAdmissionPolicy 'rules' with binding 'rules' denied request: no`,
    ),
    log: "EXTERNAL_SECRET_REFUSED",
    code: "ADMISSION_DENIED",
  },
  {
    it: "a webhook fails",
    verb: "patch",
    fault: refusal(500, 'Internal error occurred: failed calling webhook "validate.externalsecret": no'),
    log: "EXTERNAL_SECRET_FAILED",
    code: "ADMISSION_WEBHOOK_FAILED",
  },
  {
    it: "the conversion webhook fails",
    verb: "list",
    fault: refusal(500, "conversion webhook for external-secrets.io/v1, Kind=ExternalSecret failed: no"),
    log: "EXTERNAL_SECRET_FAILED",
    code: "CONVERSION_WEBHOOK_FAILED",
  },
])("where $it in one namespace, those of others are refreshed, and the reason is logged", async (row) => {
  const { backend } = used;
  const others = await openScene(backend);
  const source = await at.scene.createSource(
    `prod/${randomUUID().slice(0, 8)}`,
    '{"password":"canary-7f3a9c1e-first"}',
  );
  const [bad, good] = [esoScene(backend, at.scene, "v1"), esoScene(backend, others, "v1")] as const;
  for (const eso of [bad, good]) {
    await eso.grant();
    await eso.createStore("plain");
    await eso.createExternalSecret("db", {
      secretStoreRef: { name: "plain" },
      refreshInterval: "1h0m0s",
      data: [{ secretKey: "password", remoteRef: { key: source.name, property: "password" } }],
    });
  }
  const { faults } = backend.sandbox.kubernetes;
  const isRefused = ({ resource, verb, namespace }: { resource: string; verb: string; namespace?: string }) =>
    resource === "externalsecrets" && verb === row.verb && namespace === at.scene.namespace;
  const end = faults.add({ ...row.fault, match: isRefused });
  const externalSecrets = { namespaces: [at.scene.namespace, others.namespace], deadlineSeconds: 5 };
  const clusters = { main: { ...pinnedCluster(backend), externalSecrets } };
  const relay = await startRelay(backend, { bindings: [], clusters, wait: good.wait });
  const controller = good.startEso();

  await relay.invoke(labelUpdated(backend, source)).catch(() => undefined);
  await controller.stop();
  end();
  others.close();

  expect(await good.nudgeOf("ExternalSecret", "db")).toBeDefined();
  expect(await bad.nudgeOf("ExternalSecret", "db")).toBeUndefined();
  const logged = relay.logs.map(({ code, fields }) => ({ code, reason: fields.code }));
  expect(logged).toContainEqual({ code: row.log, reason: row.code });
  expect(logged).toContainEqual({ code: "EXTERNAL_SECRET_REFRESHED", reason: undefined });
});
