import { createHash } from "node:crypto";
import type { BindingsBucket } from "../../cli/publish/bindings-bucket.ts";
import { keyOfPart, POINTER_KEY, parsePointer } from "../../shared/bindings/published/pointer.ts";
import type { ReadObject } from "../../shared/bindings/published/rules-store.ts";

export class ConnectionLost extends Error {}

/** A versioned bucket in memory. `onRequest` may throw, before or after the request took effect. */
export function memoryBucket() {
  const objects = new Map<string, { versionId: string; text: string }[]>();
  const hooks: { before: (request: string) => void; after: (request: string) => void } = {
    before: () => {},
    after: () => {},
  };
  let requests = 0;
  const versions = (key: string) => objects.get(key) ?? [];
  const latest = (key: string) => versions(key)[0];
  const etagOf = (text: string) => `"${createHash("md5").update(text).digest("hex")}"`;
  const ask = async <T>(request: string, run: () => T): Promise<T> => {
    hooks.before(request);
    requests += 1;
    const result = run();
    hooks.after(request);
    return result;
  };
  const put = (key: string, text: string) => {
    objects.set(key, [{ versionId: `v${requests}`, text }, ...versions(key)]);
  };
  const bucket: BindingsBucket = {
    name: "bindings",
    readPointer: (versionId) =>
      ask("read pointer", () => {
        const found =
          versionId === undefined
            ? latest(POINTER_KEY)
            : versions(POINTER_KEY).find((each) => each.versionId === versionId);
        if (found === undefined) return undefined;
        return {
          pointer: parsePointer(found.text),
          etag: etagOf(found.text),
          versionId: found.versionId,
        };
      }),
    listPointerVersions: async function* () {
      const all = await ask("list versions", () => versions(POINTER_KEY));
      for (const { versionId } of all) yield { versionId, isLatest: versionId === all[0]?.versionId };
    },
    readPart: (hash) => ask("read part", () => latest(keyOfPart(hash))?.text),
    putPart: (hash, text) => ask("put part", () => put(keyOfPart(hash), text)),
    putPointer: (text, expected) =>
      ask("put pointer", () => {
        const current = latest(POINTER_KEY);
        if ((current && etagOf(current.text)) !== expected) return false;
        put(POINTER_KEY, text);
        return true;
      }),
  };
  /** As the functions read it. */
  const readObject: ReadObject = async ({ key, versionId, etag }) => {
    const found =
      versionId === undefined ? latest(key) : versions(key).find((each) => each.versionId === versionId);
    if (found === undefined) return { kind: "absent" };
    const current = etagOf(found.text);
    return current === etag ? { kind: "unchanged" } : { kind: "object", body: found.text, etag: current };
  };
  return { bucket, hooks, readObject, requests: () => requests };
}
