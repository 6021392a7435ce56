import { describe, expect, it } from "vitest";
import {
  describeServedVersion,
  describeWithoutExternalSecrets,
} from "../contract/served-versions-contract.ts";
import { esoScene } from "../harness/eso-scene.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";
import { installExternalSecrets } from "./external-secrets/install.ts";

const startWith = (version: "v1" | "v1beta1") => async () => {
  const backend = await startRealBackend();
  await installExternalSecrets(backend, version);
  return backend;
};

describe.each(["v1", "v1beta1"] as const)(
  "on real servers, which serve ExternalSecrets only as %s",
  (version) => describeServedVersion(version, startWith(version)),
);

describe("on real servers", () => describeWithoutExternalSecrets(startRealBackend));

describe("the definitions of v1", () => {
  const used = useBackend(startWith("v1"));
  const at = useScene(used);

  it("store the defaults of later releases on each object, as a cluster with ESO 2.x does", async () => {
    const eso = esoScene(used.backend, at.scene, "v1");
    await eso.createStore("aws");
    await eso.createExternalSecret("app", {
      secretStoreRef: { name: "aws" },
      data: [{ secretKey: "a", remoteRef: { key: "prod/db", property: "a" } }],
      dataFrom: [{ extract: { key: "prod/db" } }],
    });

    const stored = { conversionStrategy: "Default", decodingStrategy: "None", nullBytePolicy: "Ignore" };
    expect((await eso.read("SecretStore", "aws")).spec.provider.aws).toMatchObject({
      sessionTagsPolicy: "None",
    });
    expect((await eso.read("ExternalSecret", "app")).spec).toMatchObject({
      data: [{ remoteRef: stored }],
      dataFrom: [{ extract: stored }],
      target: { creationPolicy: "Owner", deletionPolicy: "Retain" },
    });
  });
});
