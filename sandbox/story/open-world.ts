import { readFileSync } from "node:fs";
import { devNull } from "node:os";
import { setDefaultCACertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { externalSecretsResources } from "../kubernetes/resources.ts";
import { type Sandbox, startSandbox } from "../start-sandbox.ts";
import { type DeployedRelay, deployRelay, type QueueSetting } from "./deploy-relay.ts";
import { type DeployedSweep, deploySweep, withBindingsFile } from "./deploy-sweep.ts";
import { connectAsAdmin, type KubernetesAdmin } from "./kubernetes-admin.ts";
import type { Narrator } from "./narrator.ts";
import { type RoleCredentials, serveRoleCredentials } from "./role-credentials.ts";

/** The world of the story: the sandbox, its users, and the relay. */
export type StoryWorld = {
  readonly sandbox: Sandbox;
  /** Secrets Manager, as the team that owns the secrets calls it. */
  readonly secretsManager: SecretsManagerClient;
  /** The cluster, as its administrator sees it. */
  readonly admin: KubernetesAdmin;
  readonly relay: DeployedRelay;
  /** A new instance of the reconcile function, with these bindings. */
  deploySweep(bindings: string, queue?: QueueSetting): Promise<DeployedSweep>;
  /** Another instance of the rotation function, with these bindings; the rule sends it every event, too. */
  deployRelay(bindings: string, queue?: QueueSetting): Promise<DeployedRelay>;
  /** The source of the functions' credentials. */
  readonly role: RoleCredentials;
  /** bindings.yaml, for display. */
  readonly bindings: string;
  readonly narrator: Narrator;
  /** The clock of the sandbox and the relay. */
  now(): number;
  /** Advances the clock without waiting. */
  passTime(ms: number): void;
  /** From now on only passTime advances the clock, so that the machine's speed changes nothing; the result ends it. */
  holdTime(): () => void;
  close(): Promise<void>;
};

/** Replaces this process's AWS settings and trusted certificates: nothing that it starts can reach a real account. */
export async function openWorld(narrator: Narrator): Promise<StoryWorld> {
  let aheadMs = 0;
  let heldAt: number | undefined;
  const now = () => (heldAt ?? Date.now()) + aheadMs;
  const sandbox = await startSandbox({
    awsOverTls: true,
    now,
    rollsOut: true,
    resources: externalSecretsResources(),
  });
  const { aws, kubernetes, authority } = sandbox;
  setDefaultCACertificates([authority.certificatePem]);
  forgetSettings();
  const {
    AWS_ACCESS_KEY_ID: accessKeyId = "",
    AWS_SECRET_ACCESS_KEY: secretAccessKey = "",
    ...env
  } = aws.env;
  const role = await serveRoleCredentials(aws);
  Object.assign(process.env, env, role.env);
  const secretsManager = new SecretsManagerClient({ credentials: { accessKeyId, secretAccessKey } });
  const close = async () => {
    secretsManager.destroy();
    await role.stop();
    await sandbox.stop();
  };
  try {
    return {
      sandbox,
      secretsManager,
      admin: connectAsAdmin(kubernetes),
      relay: await deployRelay(aws, { BINDINGS_FILE }, now),
      deploySweep: (bindings, queue) =>
        withBindingsFile(bindings, (setting) => deploySweep(sandbox, { ...setting, ...queue }, now)),
      deployRelay: (bindings, queue) =>
        withBindingsFile(bindings, (setting) => deployRelay(aws, { ...setting, ...queue }, now)),
      role,
      bindings: readFileSync(BINDINGS_FILE, "utf8").replace(/^#.*\n/gm, ""),
      narrator,
      now,
      passTime: (ms) => {
        aheadMs += ms;
      },
      holdTime: () => {
        heldAt = Date.now();
        return () => {
          heldAt = undefined;
        };
      },
      close,
    };
  } catch (error) {
    await close(); // or its servers would keep the process alive
    throw error;
  }
}

const BINDINGS_FILE = fileURLToPath(new URL("bindings.yaml", import.meta.url));

/** The reader may be logged in to AWS, or use the command: their variables and files must not affect the story. */
function forgetSettings(): void {
  const isSetting = (name: string) => /^(AWS|BINDINGS|SECRET_RELAY)_/.test(name);
  for (const name of Object.keys(process.env)) if (isSetting(name)) delete process.env[name];
  Object.assign(process.env, {
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
  });
}
