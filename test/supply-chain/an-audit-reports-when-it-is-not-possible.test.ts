import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { text } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { ROOT } from "../docs/markdown.ts";

// `npm run audit` against registries on loopback.

type AuditRequest = Readonly<Record<string, readonly string[]>>;
type Registry = (request: AuditRequest) => object | undefined;

const advisory = (title: string, vulnerable_versions = "*") => ({
  id: 1,
  url: "https://example.com/advisory/1",
  title,
  severity: "high",
  vulnerable_versions,
});
const hasAdvisories: Registry = (request) =>
  "minimist" in request ? { minimist: [advisory("Pollution", "<0.2.4")] } : {};

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function audit(registry: Registry): Promise<{ code: number; stdout: string; stderr: string }> {
  server = createServer(async (request, response) => {
    const isAdvisories = request.method === "POST" && request.url?.endsWith("/advisories/bulk") === true;
    const body = await readBody(request);
    const answer = isAdvisories ? registry(body as AuditRequest) : packument(request.url ?? "");
    response.writeHead(answer === undefined ? 405 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_fetch_retries: "0",
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ["scripts/audit.ts"], { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

async function readBody(request: Parameters<typeof text>[0] & { headers: Record<string, unknown> }) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (bytes.length === 0) return {};
  return JSON.parse((request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes).toString());
}

/** npm requests the versions of a vulnerable package. */
function packument(path: string): object | undefined {
  const name = decodeURIComponent(path.slice(1));
  const versions = { "0.0.8": { name, version: "0.0.8" } };
  return /^[a-z]+$/.test(name) ? { name, "dist-tags": { latest: "0.0.8" }, versions } : undefined;
}

describe("an audit", () => {
  it("reports when it found nothing", async () => {
    expect(await audit(hasAdvisories)).toEqual({
      code: 0,
      stdout: "0 known vulnerabilities in the locked packages\n",
      stderr: "",
    });
  });

  it("reports each vulnerability, and whether the package is shipped", async () => {
    const { code, stdout } = await audit((request) => ({
      ...hasAdvisories(request),
      ...("yaml" in request && { yaml: [advisory("Deep")], vitest: [advisory("Remote")] }),
    }));
    expect(stdout).toContain("high: yaml (shipped): Deep, https://example.com/advisory/1\n");
    expect(stdout).toContain("high: vitest (development only): Remote, ");
    expect(stdout).toMatch(/^2 known vulnerabilities/m);
    expect(code).toBe(1);
  });

  it.each<{ kind: string; registry: Registry; said: string }>([
    { kind: "does not support audits", registry: () => undefined, said: "405 Method Not Allowed" },
    {
      kind: "has no advisories",
      registry: () => ({}),
      said: "a package with known vulnerabilities",
    },
  ])("reports an error instead of a number when the registry $kind", async ({ registry, said }) => {
    const { code, stdout, stderr } = await audit(registry);
    expect(stderr).toMatch(/^Audit not possible: /);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain("127.0.0.1");
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});
