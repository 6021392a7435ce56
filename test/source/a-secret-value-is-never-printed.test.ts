import { Console } from "node:console";
import { Writable } from "node:stream";
import { format, inspect } from "node:util";
import { serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { SecretValue } from "../../shared/source/secret-value.ts";

const CANARY = "canary-7f3a9c1e";
const secret = SecretValue.fromText(CANARY);

const printings: { it: string; print: () => string }[] = [
  { it: "String()", print: () => String(secret) },
  { it: "a template", print: () => `${secret}` },
  { it: "concatenation", print: () => `before ${[secret, secret].join()}` },
  { it: "JSON.stringify", print: () => JSON.stringify(secret) },
  {
    it: "JSON.stringify of an object with it",
    print: () => JSON.stringify({ deep: [{ secret }] }, undefined, 2),
  },
  { it: "util.inspect", print: () => inspect(secret) },
  { it: "util.inspect of an object with it", print: () => inspect({ deep: new Map([["key", [secret]]]) }) },
  {
    it: "util.inspect with everything shown",
    print: () => inspect({ secret }, { showHidden: true, depth: null, getters: true, showProxy: true }),
  },
  {
    it: "util.inspect without custom inspection",
    print: () => inspect(secret, { customInspect: false, showHidden: true }),
  },
  {
    it: "every format specifier",
    print: () => format("%s %d %i %f %j %o %O %c %%", ...Array(8).fill(secret)),
  },
  {
    it: "console methods",
    print: () =>
      consoleOutput((log) => {
        log.dir({ secret });
        log.table([{ secret }]);
        log.error("%o", secret);
      }),
  },
  { it: "an error's cause", print: () => inspect(new Error("failed", { cause: secret })) },
  { it: "an error's own property", print: () => inspect(Object.assign(new Error("failed"), { secret })) },
  {
    it: "structuredClone",
    print: () => inspect(structuredClone({ secret }), { showHidden: true, depth: null }),
  },
  { it: "v8.serialize", print: () => serialize({ secret }).toString("latin1") },
  {
    it: "its keys and entries",
    print: () => inspect([Reflect.ownKeys(secret), Object.entries(secret), { ...secret }]),
  },
  { it: "a proxy of it", print: () => inspect(new Proxy(secret, {}), { showProxy: true }) },
];

describe("a secret value is never printed", () => {
  it.each(printings)("by $it", ({ print }) => {
    const printed = print();
    expect(printed).not.toContain(CANARY);
    expect(printed).not.toContain(Buffer.from(CANARY).toString("base64"));
    expect(printed).not.toContain(Buffer.from(CANARY).toString("hex").slice(0, 8));
    expect(printed).not.toMatch(/63, ?61, ?6e|99, ?97, ?110/); // its bytes, as inspect and JSON write them
  });

  it("exposes its bytes only through expose()", () => {
    expect(Buffer.from(secret.expose()).toString("utf8")).toBe(CANARY);
  });
});

describe("secret values are compared", () => {
  it.each([
    { it: "equal if every byte is equal", one: "pässword", other: "pässword", want: true },
    { it: "different in one byte", one: "password", other: "passwore", want: false },
    { it: "different in length, without an error", one: "password", other: "password1", want: false },
    { it: "equal when both are empty", one: "", other: "", want: true },
  ])("$it", ({ one, other, want }) => {
    expect(SecretValue.fromText(one).equals(SecretValue.fromText(other))).toBe(want);
  });

  it("has no length unless it is exposed, and then in bytes", () => {
    const value = SecretValue.fromText("ä€");
    expect(value.expose().byteLength).toBe(5);
    expect(value).not.toHaveProperty("byteLength");
    expect(value).not.toHaveProperty("length");
  });

  it("can be created from base64 as in Kubernetes, for bytes that are not text", () => {
    const bytes = Uint8Array.from([0, 255, 128, 10]);
    expect(SecretValue.fromBase64(Buffer.from(bytes).toString("base64")).equals(new SecretValue(bytes))).toBe(
      true,
    );
  });
});

function consoleOutput(use: (log: Console) => unknown): string {
  let output = "";
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      output += chunk;
      done();
    },
  });
  use(new Console(stream, stream));
  return output;
}
