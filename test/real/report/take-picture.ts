// Takes the picture of the README, docs/report.png: the page about a sweep of the sandbox, in a real Chromium. Run it after
// a change of the page; it takes about 10 s:
//
//   npx node test/real/report/take-picture.ts
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDesk } from "../../harness/command-line.ts";
import { pinnedCluster } from "../../harness/relay.ts";
import { openScene } from "../../harness/scene.ts";
import { startSandboxBackend } from "../../harness/start-sandbox-backend.ts";
import { launchBrowser, openFile } from "./browser.ts";

const PICTURE = fileURLToPath(new URL("../../../docs/report.png", import.meta.url));
const NAMES = ["api", "billing", "cache", "db", "mail", "orders", "queue", "search", "sessions", "webhooks"];

const backend = await startSandboxBackend({ clusterName: "prod-eks" });
Object.assign(process.env, backend.aws.env);
const { aws } = backend.sandbox;
const scene = await openScene(backend, "shop");
const desk = openDesk(backend, { worksOn: "published" });
const valueAt = (turn: number) => JSON.stringify({ password: `canary-7f3a9c1e-${turn}` });

aws.addBucket("bindings", { versioned: true });
aws.addStack(
  "secret-relay",
  { BindingsBucketName: "bindings" },
  { RelayName: "secret-relay", SecretNamePrefix: "prod/" },
);
const sources = new Map(
  await Promise.all(
    NAMES.map(async (one) => [one, await scene.createSource(`prod/${one}`, valueAt(1))] as const),
  ),
);
await scene.grant(NAMES);
desk.writeBindings(
  NAMES.map((one) => ({ source: `prod/${one}`, targets: [{ namespace: "shop", name: one }] })),
  { main: pinnedCluster(backend) },
);
await scene.createSecret("mail", { password: "canary-7f3a9c1e-other" });
await desk.run("publish", "--yes", "--ignore-permissions");
await desk.run("sync", "--all");

// One source moves on without its event, and somebody edits a Secret.
const db = sources.get("db");
if (db !== undefined) await scene.rotate(db, valueAt(2));
await scene.patchSecret("queue", { data: { password: btoa("canary-7f3a9c1e-edited") } }, "kubectl-edit");
await backend.clock.advance(14 * 60_000);
await desk.run("sweep", "--plan", "--inventory", "--out", "report.json");
await desk.run("report", "--from", "report.json");

const browser = await launchBrowser();
const { page } = await openFile(browser, join(desk.folder, "report.html"), {
  colorScheme: "light",
  viewport: { width: 1_000, height: 1_030 },
});
await page.evaluate("document.getElementById('theme').hidden = true");
writeFileSync(PICTURE, await page.screenshot());
await browser.close();
desk.close();
scene.close();
await backend.stop();
