import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RelayError } from "../../shared/relay-error.ts";
import { findTraces, MARK, newCanary, newLongCanary, watchLengths } from "../harness/canary.ts";
import type { TestRelayOptions } from "../harness/relay.ts";
import { openScene, type Scene, type TestSource } from "../harness/scene.ts";
import { type SandboxBackend, startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { expectNoTrace, objectsOf, startWatchedRelay, tracesIn } from "./watched-relay.ts";

const canary = newCanary();
const bytes = Buffer.from(canary, "utf8");

const forms: { it: string; text: string }[] = [
  { it: "as it is", text: `value: ${canary}` },
  { it: "cut off after the mark", text: canary.slice(0, MARK.length) },
  { it: "in capitals", text: canary.toUpperCase() },
  { it: "as JSON in JSON", text: JSON.stringify({ body: JSON.stringify({ password: canary }) }) },
  { it: "URL-encoded", text: encodeURIComponent(canary) },
  { it: "URL-encoded throughout", text: bytes.toString("hex").replace(/../g, "%$&") },
  { it: "escaped throughout", text: bytes.toString("hex").replace(/../g, "\\u00$&") },
  { it: "in base64", text: bytes.toString("base64") },
  { it: "in base64 one byte later", text: Buffer.from(`"${canary}`).toString("base64") },
  {
    it: "in base64 of a JSON document",
    text: Buffer.from(JSON.stringify({ ab: canary })).toString("base64"),
  },
  { it: "in base64url", text: Buffer.from(`ab${canary}`).toString("base64url") },
  {
    it: "in base64 of base64, as in an encoded body of an apply",
    text: Buffer.from(`{"data":{"password":"${bytes.toString("base64")}"}}`).toString("base64"),
  },
  { it: "in hex", text: bytes.toString("hex") },
  { it: "reversed", text: [...canary].reverse().join("") },
  { it: "as an inspected Buffer", text: inspect(bytes) },
  { it: "as an inspected Uint8Array", text: inspect(new Uint8Array(bytes)) },
  { it: "as a Buffer in JSON", text: JSON.stringify(bytes) },
  { it: "in UTF-16", text: Buffer.from(canary, "utf16le").toString("latin1") },
  { it: "as a digest", text: createHash("sha256").update(canary).digest("hex") },
  { it: "as a digest in base64", text: createHash("md5").update(canary).digest("base64") },
];

describe("a canary is found", () => {
  it.each(forms)("$it", ({ text }) => {
    expect(findTraces(`…${text}…`)).not.toEqual([]);
  });

  it.each([
    "a value of 61987 bytes",
    "61,987 bytes",
    "61_987",
    '{"bytes":61987}',
    "x".padEnd(9) + 82652,
    "[123974]",
  ])("by its length: %s", (text) => {
    newLongCanary();
    expect(findTraces(text)).toEqual(["length of a value"]);
  });

  it("by the length of its string", () => {
    const text = JSON.stringify({ password: newLongCanary() });
    watchLengths(text);
    expect(findTraces(`Content-Length: ${Buffer.byteLength(text)}`)).toEqual(["length of a value"]);
  });

  it.each([
    "161987",
    "61987a",
    "6198",
    "2026-11-20T09:15:42.619Z",
    "a-61987-b",
    "0.61987",
    "127.0.0.1:61988",
  ])("and not by a number that is none of its lengths: %s", (text) => {
    newLongCanary();
    expect(findTraces(text)).toEqual([]);
  });

  it("not in similar text", () => {
    expect(findTraces(`canary-0000 ${Buffer.from("canary").toString("base64")}`)).toEqual([]);
  });
});

describe("a planted leak is found", () => {
  let backend: SandboxBackend;
  let scene: Scene;
  let source: TestSource;

  beforeAll(async () => {
    backend = await startSandboxBackend();
    for (const [name, value] of Object.entries(backend.aws.env)) vi.stubEnv(name, value);
    scene = await openScene(backend);
    await scene.grant(["db"]);
    source = await scene.createSource("prod/planted", JSON.stringify({ password: newCanary() }));
  });
  afterAll(async () => {
    scene?.close();
    vi.unstubAllEnvs();
    await backend?.stop();
  });

  class LoudError extends RelayError {
    override readonly name = "LoudError";
    readonly code = "LOUD";
    readonly retryable = true;
  }

  const invokeWith = async (override: NonNullable<TestRelayOptions["override"]>) => {
    const relay = await startWatchedRelay(backend, {
      bindings: [{ source: source.name, targets: [{ namespace: scene.namespace, name: "db" }] }],
      override,
    });
    return (await relay.invoke({ secretId: source.name })).evidence;
  };
  const exposed = async (real: Parameters<NonNullable<TestRelayOptions["override"]>>[0]) => {
    const signal = AbortSignal.timeout(5_000);
    const { value } = await real.readCurrent(
      { id: source.name, names: [source.name] },
      { signal, remainingMs: () => 5_000 },
    );
    return Buffer.from(value.expose());
  };

  it("in a log line", async () => {
    const evidence = await invokeWith((real) => ({
      readCurrent: async (...args) => {
        console.debug("read", await exposed(real));
        return real.readCurrent(...args);
      },
    }));

    expect(tracesIn(evidence, backend)).toContainEqual(expect.stringMatching(/^stdout and stderr/));
  });

  it("in an error of our own, in the report and the log", async () => {
    const evidence = await invokeWith((real) => ({
      readCurrent: async () => {
        throw new LoudError(`The value ${(await exposed(real)).toString("base64")} is odd`);
      },
    }));

    expect(tracesIn(evidence, backend)).toContainEqual(expect.stringMatching(/^stdout and stderr/));
  });

  it("in an error that contains only the length of a value", async () => {
    const text = JSON.stringify({ password: newLongCanary() });
    watchLengths(text);
    await scene.rotate(source, text);
    const evidence = await invokeWith((real) => ({
      readCurrent: async () => {
        throw new LoudError(`The value has ${(await exposed(real)).byteLength} bytes`);
      },
    }));

    expect(tracesIn(evidence, backend)).toContainEqual("stdout and stderr: length of a value");
  });

  it("not in the error of a bug, because its message is dropped", async () => {
    const evidence = await invokeWith((real) => ({
      readCurrent: async () => {
        throw new TypeError(`Cannot read ${await exposed(real)}`);
      },
    }));

    expectNoTrace(evidence, backend);
  });

  it("in an annotation of the Secret", async () => {
    await scene
      .patchSecret("db", { metadata: { annotations: { hash: bytes.toString("hex") } } })
      .catch(() =>
        scene.createSecret("db", {}, { metadata: { annotations: { hash: bytes.toString("hex") } } }),
      );

    const evidence = await objectsOf(scene);

    expect(tracesIn(evidence, backend)).toContainEqual(expect.stringMatching(/\/secrets/));
  });

  it("when the AWS key itself is logged", async () => {
    const evidence = await invokeWith((real) => ({
      readCurrent: (...args) => {
        console.warn({ env: backend.aws.env });
        return real.readCurrent(...args);
      },
    }));

    expect(tracesIn(evidence, backend)).toContainEqual(expect.stringMatching(/^stdout and stderr/));
  });
});
