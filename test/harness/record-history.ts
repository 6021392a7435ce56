import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { SecretState } from "../../sandbox/kubernetes/history.ts";
import type { KubernetesBackend } from "./backend.ts";
import { kubernetesCall } from "./kubernetes-request.ts";

export type HistoryRecorder = {
  /** Every state since the recording began. */
  readonly states: readonly SecretState[];
  /** Waits for the newest state, and ends. */
  stop(): Promise<readonly SecretState[]>;
};

/**
 * Watches one Secret, or every Secret of the namespace, so that a test can show that an older value never landed after
 * a newer one.
 */
export async function recordHistory(
  backend: KubernetesBackend,
  namespace: string,
  name?: string,
): Promise<HistoryRecorder> {
  const call = kubernetesCall(backend);
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  const selector = name === undefined ? "" : `fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`;
  const list = await call(`${path}?${selector}`);
  const watch = await openWatch(
    backend,
    `${path}?${selector}&watch=true&resourceVersion=${list.body.metadata.resourceVersion}`,
  );
  const states: SecretState[] = [];
  const lines = createInterface({ input: watch });
  lines.on("line", (line) => states.push(stateOf(JSON.parse(line))));

  const hasSeenAll = async (): Promise<boolean> => {
    const { body } = await call(`${path}?${selector}`);
    const seen = versionsOf(list.body.items);
    for (const state of states) {
      if (state.type === "DELETED") seen.delete(state.name);
      else seen.set(state.name, state.resourceVersion);
    }
    return isDeepStrictEqual(seen, versionsOf(body.items));
  };
  return {
    states,
    stop: async () => {
      const giveUpAt = Date.now() + WAIT_MS_MAX;
      while (!(await hasSeenAll())) {
        if (Date.now() > giveUpAt)
          throw new Error(`The watch of ${namespace}/${name ?? "*"} has missed the newest state`);
        await sleep(10);
      }
      lines.close();
      watch.destroy();
      call.close();
      return states;
    },
  };
}

const WAIT_MS_MAX = 5_000;

type Item = { readonly metadata: { readonly name: string; readonly resourceVersion: string } };

/** The order of a list does not matter. */
function versionsOf(items: readonly Item[]): Map<string, string> {
  return new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
}

async function openWatch(backend: KubernetesBackend, path: string): Promise<IncomingMessage> {
  const ca = Buffer.from(backend.certificateAuthorityData, "base64").toString("utf8");
  const headers = { authorization: `Bearer ${backend.adminToken}` };
  const request = httpsRequest(`${backend.endpoint}${path}`, { ca, headers, agent: false });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`The watch was refused with ${response.statusCode}`);
  response.on("error", () => {}); // destroyed by stop()
  request.on("error", () => {});
  return response;
}

type WatchEvent = {
  type: SecretState["type"];
  object: {
    metadata: { name: string; resourceVersion: string; uid: string; annotations?: Record<string, string> };
    data?: Record<string, string>;
  };
};

function stateOf({ type, object }: WatchEvent): SecretState {
  const { name, resourceVersion, uid, annotations = {} } = object.metadata;
  return { type, name, resourceVersion, uid, data: object.data ?? {}, annotations };
}
