import { expect, it } from "vitest";
import { STEADY_METRICS } from "../../scripts/fixed-costs.ts";
import { METADATA, sweeperOf, useSweepScene } from "./sweep-scene.ts";

const scene = useSweepScene();

it("a sweep without findings publishes the metrics whose price docs/operations.md has, and no other", async () => {
  const sweeper = await sweeperOf(await scene.openFleet({ size: 3 }));

  const { targets, checked } = await sweeper.sweep(METADATA);

  expect({ findings: targets.length, checked }).toEqual({ findings: 0, checked: 3 });
  const published = sweeper.metrics.map(({ name, code }) => (code === undefined ? name : `${name} ${code}`));
  expect([...new Set(published)].sort()).toEqual(STEADY_METRICS.toSorted());
});
