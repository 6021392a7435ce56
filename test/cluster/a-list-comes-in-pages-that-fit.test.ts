import { describe, expect, it } from "vitest";
import { withCallerErrors } from "../../cli/live/with-caller-errors.ts";
import { ListExpired } from "../../shared/cluster/classify-response.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterAnswerTooLarge, ClusterUnavailable } from "../../shared/cluster/errors.ts";
import { listObjects } from "../../shared/cluster/list-objects.ts";
import { listPages, type PageQuery } from "../../shared/cluster/list-pages.ts";
import type { ObjectCall } from "../../shared/cluster/secrets-api.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";

/** A server of numbered items: a page of more than `fitting` items is too large. */
function serverOf(count: number, fitting: number) {
  const limits: number[] = [];
  const readPage = async ({ limit, continueToken = "0" }: PageQuery) => {
    limits.push(limit);
    if (limit > fitting) throw new ClusterAnswerTooLarge("main");
    const from = Number(continueToken);
    const to = Math.min(count, from + limit);
    const items = Array.from({ length: to - from }, (_, at) => from + at);
    return { items, ...(to < count && { continueToken: String(to) }) };
  };
  return { limits, readPage };
}

const everything = { limit: 500, keptMax: 10_000 };
const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a list", () => {
  it.each([500, 70, 10, 1])("is complete when a page holds at most %i items", async (fitting) => {
    const { readPage } = serverOf(1_100, fitting);
    expect(await listPages("main", readPage, everything)).toEqual(
      Array.from({ length: 1_100 }, (_, at) => at),
    );
  });

  it("asks for smaller pages once, not for each page", async () => {
    const { limits, readPage } = serverOf(200, 70);
    await listPages("main", readPage, everything);
    expect(limits).toEqual([500, 62, 62, 62, 62]);
  });

  it("fails when a single item is too large", async () => {
    const { limits, readPage } = serverOf(3, 0);
    expect(await failureOf(listPages("main", readPage, everything))).toBeInstanceOf(ClusterAnswerTooLarge);
    expect(limits).toEqual([500, 62, 7, 1]);
  });

  it("fails when more is kept than the caller can hold", async () => {
    const { readPage } = serverOf(2_000, 500);
    const list = listPages("main", readPage, { limit: 500, keptMax: 600 });
    expect(await failureOf(list)).toBeInstanceOf(ClusterAnswerTooLarge);
  });

  it.each([
    { it: "Secrets", expired: () => new ListExpired() },
    { it: "other objects", expired: () => new ClusterUnavailable("main", "HTTP 410") },
  ])("of $it starts again once if its token expires", async ({ expired }) => {
    const { readPage } = serverOf(1_100, 500);
    const expireTimes = (times: number) => {
      let left = times;
      return async (query: PageQuery) => {
        if (query.continueToken !== undefined && left > 0) {
          left -= 1;
          throw expired();
        }
        return readPage(query);
      };
    };
    expect(await listPages("main", expireTimes(1), everything)).toHaveLength(1_100);
    expect(await failureOf(listPages("main", expireTimes(2), everything))).toMatchObject({
      code: "CLUSTER_UNAVAILABLE",
      at: "HTTP 410",
    });
  });

  it("ends when pages without items never end", async () => {
    let pages = 0;
    const readPage = async () => {
      pages += 1;
      return { items: [], continueToken: String(pages) };
    };
    expect(await failureOf(listPages("main", readPage, everything))).toBeInstanceOf(ClusterAnswerTooLarge);
    expect(pages).toBeLessThanOrEqual(1_000);
  });
});

it("a command gets smaller pages too, and only what it selects", async () => {
  const { readPage } = serverOf(200, 70);
  const callObject = async ({ query = {} }: ObjectCall) => {
    const { continue: continueToken } = query;
    const page = await readPage({ limit: Number(query.limit), ...(continueToken && { continueToken }) });
    return { items: page.items, metadata: { continue: page.continueToken } };
  };
  const cluster = { name: "main", region: "eu-west-1" };
  const connection = { callObject } as unknown as ClusterConnection;
  const ofCaller = withCallerErrors(connection, { clusterKey: "main", cluster, as: "the caller" });
  const select = (object: unknown) => ((object as number) % 100 === 0 ? object : undefined);
  const request = { clusterKey: "main", path: "/apis/example.com/v1/things", ...everything, select };

  expect(await listObjects(ofCaller, request, startTimeBudget(1_000))).toEqual([0, 100]);
});
