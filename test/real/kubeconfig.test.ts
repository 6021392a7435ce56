import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadKubeconfig } from "../../cli/kubeconfig/load-kubeconfig.ts";
import { connectContext } from "../../cli/live/connect-context.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import type { KubernetesBackend } from "../harness/backend.ts";
import { findKubectl } from "../harness/find-kubectl.ts";
import {
  environmentOf,
  KUBECONFIG_FORMS,
  type KubeconfigForm,
  type KubeconfigScene,
} from "../harness/kubeconfig-forms.ts";
import { quietTerminal } from "../harness/run-cli.ts";
import { startControlPlane } from "./control-plane/start.ts";

let cluster: KubernetesBackend;
let root: string;
let scene: Omit<KubeconfigScene, "folder">;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  const key = join(root, "me.key");
  const certificate = join(root, "me.pem");
  // It signs itself, and the API server trusts it as an authority for clients.
  const subject = "/O=system:masters/CN=by-certificate";
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  execFileSync(
    "openssl",
    ["req", "-x509", ...curve, "-nodes", "-subj", subject, "-keyout", key, "-out", certificate],
    { stdio: "ignore" },
  );
  cluster = await startControlPlane({ apiServerArguments: [`--client-ca-file=${certificate}`] });
  scene = {
    server: cluster.endpoint,
    authorityPem: Buffer.from(cluster.certificateAuthorityData, "base64").toString("utf8"),
    token: cluster.adminToken,
    certificatePem: readFileSync(certificate, "utf8"),
    keyPem: readFileSync(key, "utf8"),
  };
}, 60_000);

afterAll(async () => {
  await cluster?.stop();
  rmSync(root, { recursive: true, force: true });
});

type UserInfo = { username: string; uid?: string; groups: string[]; extra?: Record<string, string[]> };

/** The user as the API server sees it, or undefined if the command fails. */
async function kubectlWhoAmI(form: KubeconfigForm, { folder, ...rest }: KubeconfigScene) {
  const kubectl = findKubectl();
  if (kubectl === undefined) throw new Error("There is no kubectl. Run test/real/control-plane/build.sh.");
  const named = form.named === undefined ? [] : ["--kubeconfig", form.named];
  const env = environmentOf(form, { folder, ...rest });
  const child = promisify(execFile)(kubectl, [...named, "auth", "whoami", "-o", "json"], {
    cwd: folder,
    env,
  });
  child.child.stdin?.end();
  return child.then(
    ({ stdout }) => (JSON.parse(stdout) as { status: { userInfo: UserInfo } }).status.userInfo,
    () => undefined,
  );
}

async function commandWhoAmI(form: KubeconfigForm, one: KubeconfigScene): Promise<UserInfo | undefined> {
  const cli = {
    env: environmentOf(form, one),
    cwd: one.folder,
    now: Date.now,
    terminal: quietTerminal(),
  };
  try {
    const kubeconfig = await loadKubeconfig(cli, form.named);
    const context = kubeconfig.get(kubeconfig.currentContext ?? "");
    const connection = connectContext(kubeconfig, context, {
      clusterKey: "main",
      cluster: { name: "prod", region: "eu-west-1" },
      connectionsMax: 1,
      onRequest: () => {},
      onThrottled: () => {},
    });
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const found = await connection.callObject({ method: "POST", path, body }, startTimeBudget(5_000));
    return (found as { status: { userInfo: UserInfo } }).status.userInfo;
  } catch {
    return undefined;
  }
}

describe("kubectl and the command", () => {
  it.each(KUBECONFIG_FORMS)("log in as the same user, or not at all, with $it", async (form) => {
    const folder = join(root, String(KUBECONFIG_FORMS.indexOf(form)));
    mkdirSync(folder);
    const one = { ...scene, folder };
    form.write(one);
    const byKubectl = await kubectlWhoAmI(form, one);
    const byCommand = await commandWhoAmI(form, one);
    if (form.isStricter === true) {
      expect(byKubectl).toMatchObject({ username: "admin" });
      expect(byCommand).toBeUndefined();
      return;
    }
    expect(byCommand).toEqual(byKubectl);
    expect(byCommand !== undefined).toBe(!/^[A-Z]/.test(form.want));
  });
});
