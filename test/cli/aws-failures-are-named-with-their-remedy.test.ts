import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { classifyAwsError } from "../../cli/live/classify-aws-error.ts";
import { startForwardProxy } from "../harness/forward-proxy.ts";
import { runCli } from "../harness/run-cli.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-aws-"));
  for (const name of Object.keys(process.env).filter((each) => /^AWS_|_proxy$/i.test(each))) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv("HOME", folder);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  const config = [
    "[profile prod]\nregion = eu-west-1",
    "[profile sso]\nregion = eu-west-1\nsso_session = company\nsso_account_id = 111122223333\nsso_role_name = Admin",
    "[sso-session company]\nsso_region = eu-west-1\nsso_start_url = https://company.awsapps.com/start",
    "[profile half-sso]\nregion = eu-west-1\nsso_account_id = 111122223333",
    "[profile console]\nregion = eu-west-1\nlogin_session = arn:aws:iam::111122223333:user/me",
    "[profile keys]\nregion = eu-west-1\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example",
    "[profile mfa]\nregion = eu-west-1\nrole_arn = arn:aws:iam::111122223333:role/admin\nsource_profile = keys\nmfa_serial = arn:aws:iam::111122223333:mfa/me",
    "[profile misspelt]\nregion = eu-west1\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example",
  ];
  vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "credentials"));
  writeFileSync(join(folder, "config"), config.join("\n\n"));
  const bindings = {
    version: 1,
    clusters: { main: { name: "prod", region: "eu-west-1" } },
    defaults: { cluster: "main" },
    bindings: [{ source: "prod/db", targets: [{ namespace: "shop", name: "db" }] }],
  };
  writeFileSync(join(folder, "bindings.yaml"), JSON.stringify(bindings));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const run = (...words: string[]) =>
  runCli(words, { cwd: folder, env: { HOME: folder, BINDINGS_FILE: "bindings.yaml" } });

describe("a profile", () => {
  it.each([
    { profile: "nope", says: "have no profile nope. They have: prod, sso, half-sso" },
    { profile: "prdo", says: "have no profile prdo. Did you mean prod?" },
    { profile: "company", says: "have no profile company." },
  ])("that does not exist is named: $profile", async ({ profile, says }) => {
    const { exitCode, stderr } = await run("status", "--profile", profile);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(says) });
    vi.stubEnv("AWS_PROFILE", profile);
    expect((await run("sync", "--all")).stderr).toContain(says);
  });

  it.each([
    { profile: "sso", code: "AWS_SESSION_EXPIRED", says: "aws sso login --profile sso" },
    { profile: "console", code: "AWS_SESSION_EXPIRED", says: "aws login --profile console" },
    { profile: "half-sso", code: "AWS_CREDENTIALS_MISSING", says: "Profile half-sso has no AWS credentials" },
    { profile: "prod", code: "AWS_CREDENTIALS_MISSING", says: "Profile prod has no AWS credentials" },
    { profile: "mfa", code: "AWS_MFA_NEEDED", says: "aws configure export-credentials --profile mfa" },
  ])("without usable credentials is named with its remedy: $profile", async ({ profile, code, says }) => {
    const { exitCode, stderr } = await run("status", "--profile", profile);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(`^${code}: `));
    expect(stderr).toContain(says);
  });
});

describe("a Region", () => {
  it.each([
    ["eu-west1", "Did you mean eu-west-1?"],
    ["eu-west-1a", "Did you mean eu-west-1?"],
    ["eu_west_1", "Did you mean eu-west-1?"],
    ["EU-WEST-1", "Did you mean eu-west-1?"],
    ["Ireland", "It looks like eu-west-1."],
  ])("that is misspelt is named: %s", async (region, says) => {
    const wanted = `USAGE: ${region} is not the name of an AWS Region. ${says}`;
    expect((await run("status", "--region", region)).stderr).toContain(wanted);
    vi.stubEnv("AWS_REGION", region);
    expect(await run("status")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(wanted) });
  });

  it("of a profile is checked too", async () => {
    const { stderr } = await run("status", "--profile", "misspelt");
    expect(stderr).toContain("eu-west1 is not the name of an AWS Region. Did you mean eu-west-1?");
  });

  it("comes from AWS_DEFAULT_REGION too, as for the AWS CLI", async () => {
    vi.stubEnv("AWS_DEFAULT_REGION", "eu-west1");
    expect((await run("status")).stderr).toContain("eu-west1 is not the name of an AWS Region");
  });
});

describe("AWS that cannot be reached", () => {
  const runWith = async (env: Record<string, string>) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    return run("status", "--profile", "keys");
  };

  it("is named with the network and HTTPS_PROXY", async () => {
    const { exitCode, stderr } = await runWith({ AWS_ENDPOINT_URL: "https://127.0.0.1:9" });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("AWS_UNREACHABLE: Reading your AWS identity failed");
    expect(stderr).toContain(
      "(ECONNREFUSED). Check the network and the VPN. Behind a proxy, set HTTPS_PROXY.",
    );
  });

  it("is named with the proxy that refuses", async () => {
    const proxy = await startForwardProxy({ refuses: true });
    const { stderr } = await runWith({ HTTPS_PROXY: proxy.url });
    await proxy.stop();
    expect(stderr).toContain("AWS_UNREACHABLE");
    expect(stderr).toContain("The proxy refused the connection. Check HTTPS_PROXY and NO_PROXY.");
  });

  it("is named with the credentials if it does not know them", async () => {
    const body =
      "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>x</Message></Error></ErrorResponse>";
    const server = createServer((_, answer) => answer.writeHead(403).end(body));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { stderr } = await runWith({ AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
    server.closeAllConnections();
    server.close();
    expect(stderr).toContain(
      "AWS_SESSION_EXPIRED: The AWS session has expired. Log in again: aws sso login --profile keys",
    );
  });

  it.each([
    { code: "ENOTFOUND", says: "No address was found for its endpoint in eu-west-1" },
    { code: "EAI_AGAIN", says: "No address was found for its endpoint in eu-west-1" },
    { code: "ETIMEDOUT", says: "Check the network and the VPN, and the proxy in HTTPS_PROXY" },
    { code: "SELF_SIGNED_CERT_IN_CHAIN", says: "NODE_EXTRA_CA_CERTS=" },
    { code: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", says: "NODE_EXTRA_CA_CERTS=" },
  ])("is explained by the fault of the connection: $code", ({ code, says }) => {
    const settings = { profile: undefined, region: "eu-west-1", hasProxy: true };
    const fault = Object.assign(new Error("raw text"), { code });
    for (const error of [fault, new Error("outer", { cause: fault }), new AggregateError([fault])]) {
      const { message } = classifyAwsError("Reading", error, settings);
      expect(message).toContain(`(${code})`);
      expect(message).toContain(says);
      expect(message).not.toContain("raw text");
    }
  });
});

describe("a missing file", () => {
  it.each(["plan", "status", "rbac", "iam", "doctor", "validate"])(
    "of bindings is named by %s, with the command that creates it",
    async (command) => {
      rmSync(join(folder, "bindings.yaml"));
      const { exitCode, stderr } = await run(command);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(
        `: ${join(folder, "bindings.yaml")} does not exist. Create it with secret-relay init`,
      );
    },
  );

  it("is told from a folder and from a file without permission", async () => {
    expect((await run("validate", folder)).stderr).toContain("is a folder. Name a file in it.");
    expect((await run("plan", "--bindings", folder)).stderr).toContain("is a folder. Name a file in it.");
  });
});
