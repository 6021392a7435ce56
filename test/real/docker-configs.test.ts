import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkType } from "../../shared/render/check-type.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { runs } from "../harness/property-runs.ts";
import { aBinding } from "../render/factories.ts";
import { getBinary } from "./control-plane/binaries.ts";

type Config = { readonly type: string; readonly text: string };
type Logins = Readonly<Record<string, { readonly username: string; readonly password: string }>> | null;

/** By kubelet's own parser. */
function readAll(configs: readonly Config[]): Logins[] {
  const lines = configs.map(({ type, text }) =>
    JSON.stringify({ type, data: Buffer.from(text).toString("base64") }),
  );
  const answers = execFileSync(getBinary("read-docker-configs"), { input: lines.join("\n") });
  return answers
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Logins);
}

/** The text that is written; undefined if it is refused. */
function writtenFor({ type, text }: Config): string | undefined {
  const key = type === "kubernetes.io/dockercfg" ? ".dockercfg" : ".dockerconfigjson";
  const value = SecretValue.fromText(text);
  try {
    const { mended } = checkType(aBinding({ type }), new Map([[key, value]]));
    return Buffer.from((mended.get(key) ?? value).expose()).toString("utf8");
  } catch {
    return undefined;
  }
}

const isUsable = (logins: Logins | undefined): boolean =>
  Object.values(logins ?? {}).some(({ username, password }) => username !== "" || password !== "");

/** Nothing that kubelet can use is refused, and nothing that it cannot use is written. */
function expectJudgements(configs: readonly Config[]): void {
  const written = configs.map(writtenFor);
  const ofGiven = readAll(configs);
  const ofWritten = readAll(configs.map(({ type }, at) => ({ type, text: written[at] ?? "{}" })));
  for (const [at, config] of configs.entries()) {
    const logins = written[at] === undefined ? ofGiven[at] : ofWritten[at];
    expect({ ...config, isWritten: isUsable(logins) }).toEqual({
      ...config,
      isWritten: written[at] !== undefined,
    });
  }
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a docker config is written exactly if kubelet can use it", () => {
  it.each<[what: string, entry: unknown]>([
    ["auth", { auth: base64("u:pa") }],
    ["auth without padding", { auth: base64("u:pa").replaceAll("=", "") }],
    ["auth with a line break at its end", { auth: `${base64("u:pa")}\n` }],
    ["auth with a space at its end", { auth: `${base64("u:pa")} ` }],
    ["auth with bits left over", { auth: "dTpwYR==" }],
    ["auth without a colon", { auth: base64("user") }],
    ["auth of a colon alone", { auth: base64(":") }],
    ["auth that is not base64", { auth: "user:password" }],
    ["auth of the other alphabet", { auth: "dTr_-w==" }],
    ["an empty auth beside a login", { auth: "", username: "u", password: "p" }],
    ["a password without a user", { password: "p" }],
    ["null for everything", { auth: null, username: null, password: "p" }],
    ["a user that is a number", { username: 1, password: "p" }],
    ["an email that is a list", { email: [], password: "p" }],
    ["names in capitals", { USERNAME: "u", Password: "p" }],
    ["a field that kubelet ignores", { other: 1 }],
    ["nothing", {}],
    ["null", null],
    ["a list", []],
    ["a text", "u:p"],
  ])("with %s", (_, entry) => {
    const good = { auth: base64("u:p") };
    const registries = [{ r: entry }, { r: entry, good }, { good, r: entry }];
    expectJudgements(
      registries.flatMap((auths) => [
        { type: "kubernetes.io/dockercfg", text: JSON.stringify(auths) },
        ...[
          { auths },
          { Auths: auths },
          { auths, HttpHeaders: { a: "b" } },
          { auths, HttpHeaders: { a: 1 } },
        ].map((config) => ({ type: "kubernetes.io/dockerconfigjson", text: JSON.stringify(config) })),
        { type: "kubernetes.io/dockerconfigjson", text: `\ufeff${JSON.stringify({ auths })}\n` },
        { type: "kubernetes.io/dockerconfigjson", text: JSON.stringify({ auths }).slice(0, -1) },
      ]),
    );
  });

  it("with any content", () => {
    const anyAuth = fc
      .tuple(fc.string(), fc.constantFrom(":", ""), fc.string(), fc.constantFrom("", "\n", " ", "=", "\r\n"))
      .map(([user, colon, password, end]) => base64(`${user}${colon}${password}`) + end);
    const anyText = fc.oneof(
      fc.constantFrom("", "u", null, 1, true, []),
      anyAuth,
      fc.base64String(),
      fc.string(),
    );
    const anyName = fc.constantFrom("auth", "username", "password", "email", "Auth", "AUTH", "other");
    const anyEntry = fc.oneof(
      { weight: 6, arbitrary: fc.dictionary(anyName, anyText, { maxKeys: 3 }) },
      fc.constantFrom(null, [], "text", 1),
    );
    const anyRegistries = fc.dictionary(fc.constantFrom("a", "b", "c"), anyEntry);
    const anyConfig = fc.oneof(
      anyRegistries.map((auths) => ({ type: "kubernetes.io/dockercfg", text: JSON.stringify(auths) })),
      anyRegistries.map((auths) => ({
        type: "kubernetes.io/dockerconfigjson",
        text: JSON.stringify({ auths }),
      })),
      fc.json().map((text) => ({ type: "kubernetes.io/dockerconfigjson", text })),
    );
    fc.assert(fc.property(fc.array(anyConfig, { minLength: 50, maxLength: 50 }), expectJudgements), {
      numRuns: runs(20),
    });
  });
});
