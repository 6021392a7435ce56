import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { METRICS } from "../../shared/runtime/metrics.ts";
import { ROOT } from "../docs/markdown.ts";
import { deploy, WITH_WEBHOOK } from "./deploy.ts";
import { problemsOfQuery } from "./logs-insights.ts";
import { monitoring, ofType } from "./template.ts";

type Widget = {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: Record<string, unknown>;
};
type Metric = {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Record<string, string>;
};

const NAMESPACE = "SecretRelay";
const everything = { CloudTrailEvents: "true", Webhook: "ENABLED" };
const widgets = widgetsWith(everything);
const ofKind = (kind: string) => widgets.filter(({ type }) => type === kind);
const metrics = ofKind("metric").flatMap(metricsOf);
const services = ofType("AWS::Serverless::Function").map(
  ([, { Properties }]) =>
    (Properties.Environment as { Variables: Record<string, unknown> }).Variables.POWERTOOLS_SERVICE_NAME,
);

it("the dashboard is valid JSON: its widgets do not overlap and fit into the grid", () => {
  expect(widgets.length).toBeGreaterThan(10);
  const cells = widgets.flatMap(({ x, y, width, height }) =>
    Array.from({ length: width * height }, (_, at) => `${x + (at % width)}/${y + Math.floor(at / width)}`),
  );

  expect(new Set(cells).size).toBe(cells.length);
  for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
});

it.each(ofKind("metric").map((widget) => [widget.properties.title, widget] as const))(
  "%s: has a title, the stack's Region, and a named axis",
  (title, { properties }) => {
    expect(title).toEqual(expect.any(String));
    expect(properties.region).toBe("eu-west-1");
    expect(properties.yAxis).toMatchObject({ left: { label: expect.any(String) } });
  },
);

describe("every metric of the relay on the dashboard", () => {
  const own = metrics.filter(({ namespace }) => namespace === NAMESPACE);

  it("exists", () => expect(own.length).toBeGreaterThan(20));

  it.each(own)("$name $dimensions is emitted by the code", ({ name, dimensions }) => {
    expect(Object.keys(METRICS)).toContain(name);
    expect(Object.keys(dimensions)).toEqual(["service"]);
    expect(services).toContain(dimensions.service);
    expect(emittedBy(String(dimensions.service))).toContain(name);
  });

  it("follows another metrics namespace", () => {
    const moved = widgetsWith({ ...everything, MetricsNamespace: "Other" }).flatMap((widget) =>
      widget.type === "metric" ? metricsOf(widget) : [],
    );

    expect(moved.filter(({ namespace }) => namespace === NAMESPACE)).toEqual([]);
    expect(moved.filter(({ namespace }) => namespace === "Other")).toHaveLength(own.length);
  });

  it("with codes is searched by the dimensions of its emission", () => {
    const searches = expressionsIn(ofKind("metric"));

    expect(searches.length).toBeGreaterThan(0);
    for (const search of searches) {
      const [, dimensions, name] = /^SEARCH\('\{(.+)\} MetricName="(\w+)"', 'Sum', 300\)$/.exec(search) ?? [];
      expect(dimensions).toBe(`${NAMESPACE},service,code`);
      expect(Object.keys(METRICS)).toContain(name);
    }
  });
});

it("the dashboard shows every metric that is relevant for the fleet", () => {
  const own = metrics.filter(({ namespace }) => namespace === NAMESPACE).map(({ name }) => name);
  const NOT_SHOWN = [
    "TokenRefreshes", // once in ten minutes and cluster, in any case
    "RotationsFailed", // shown as an alarm of its own
    "EventsRejected", // the same
    "TargetsLeft", // left unchanged on purpose, and equal day by day
  ];

  expect(Object.keys(METRICS).filter((name) => !own.includes(name))).toEqual(NOT_SHOWN);
});

it("the dashboard names the functions of the relay's stack, by the dimension of AWS", () => {
  const functions = ofType("AWS::Serverless::Function").map(
    ([id]) => deploy(WITH_WEBHOOK).resources[id]?.Properties.FunctionName,
  );
  const ofAws = metrics.filter(({ namespace }) => namespace !== NAMESPACE);

  expect(ofAws.length).toBeGreaterThan(5);
  for (const { namespace, dimensions } of ofAws) {
    expect(namespace).toBe("AWS/Lambda");
    expect(functions.map((FunctionName) => ({ FunctionName }))).toContainEqual(dimensions);
  }
});

it("the dashboard draws the depth of every failure queue, by its alarm", () => {
  const drawn = ofKind("metric").flatMap(({ properties }) => alarmsDrawn(properties));
  const depths = ofType(ALARM).flatMap(([id, { Properties }]) =>
    Properties.MetricName === "ApproximateNumberOfMessagesVisible" ? [alarmArn(id)] : [],
  );
  expect(depths.length).toBeGreaterThan(2);
  expect(drawn.sort()).toEqual(depths.sort());
});

const ALARM = "AWS::CloudWatch::Alarm";
const alarmArn = (id: string) => `arn:aws:cloudwatch:eu-west-1:111122223333:alarm:secret-relay-${id}`;
const alarmsDrawn = ({ annotations }: Record<string, unknown>) =>
  (annotations as { alarms?: string[] } | undefined)?.alarms ?? [];

describe("its alarms", () => {
  const alarmsShown = (parameters: Record<string, string>) => {
    const shown = widgetsWith(parameters).filter(({ type }) => type === "alarm");
    return shown.flatMap(({ properties }) => properties.alarms as string[]).sort();
  };

  it.each([
    everything,
    { CloudTrailEvents: "true", Webhook: "DISABLED" },
    { CloudTrailEvents: "false", Webhook: "ENABLED" },
    { CloudTrailEvents: "false", Webhook: "DISABLED" },
  ])("are all alarms of both stacks, with %o", (parameters) => {
    const { CloudTrailEvents, Webhook } = parameters;
    const relay = deploy({ CloudTrailEvents, ...(Webhook === "ENABLED" && WITH_WEBHOOK) });
    const deployed = [relay, deploy(parameters, monitoring)].map(({ resources }) =>
      Object.entries(resources).flatMap(([id, { Type }]) => (Type === ALARM ? [id] : [])),
    );
    const own = new Set(ofType(ALARM, monitoring).map(([id]) => `<${id}>.Arn`));
    const shown = alarmsShown(parameters).map((arn) =>
      own.has(arn) ? alarmArn(/^<(\w+)>/.exec(arn)?.[1] ?? "") : arn,
    );

    expect(shown.sort()).toEqual(deployed.flat().map(alarmArn).sort());
  });
});

it("the dashboard draws the threshold of the alarm on latency", () => {
  const lines = ofKind("metric").flatMap(
    ({ properties }) => (properties.annotations as { horizontal?: { value: number }[] })?.horizontal ?? [],
  );

  expect(lines.map(({ value }) => value)).toEqual([monitoring.Parameters.PropagationLatencyAlarmMs?.Default]);
});

it.each(ofKind("log").map(({ properties }) => [properties.title, String(properties.query)] as const))(
  "%s: reads log groups of the stack, and fields and codes that are logged",
  (_title, query) => {
    const parts = query.split(" | ");
    const groups = parts.filter((part) => part.startsWith("SOURCE "));

    expect(groups).toEqual([
      "SOURCE '/aws/lambda/secret-relay-rotation'",
      "SOURCE '/aws/lambda/secret-relay-reconcile'",
    ]);
    expect(problemsOfQuery(parts.slice(groups.length).join(" | "))).toEqual([]);
  },
);

it("the dashboard omits the webhook if the stack has none", () => {
  const titles = (parameters: Record<string, string>) =>
    widgetsWith(parameters).filter(({ properties }) => String(properties.title).startsWith("Webhook")).length;

  expect([titles({}), titles({ Webhook: "ENABLED" })]).toEqual([0, 2]);
});

it("the dashboard is optional", () => {
  const { resources, outputs } = deploy({ Dashboard: "DISABLED" }, monitoring);

  expect(resources.RelayDashboard).toBeUndefined();
  expect(outputs.DashboardName).toBeUndefined();
});

function widgetsWith(parameters: Record<string, string>): Widget[] {
  const { RelayDashboard } = deploy(parameters, monitoring).resources;
  return (JSON.parse(String(RelayDashboard?.Properties.DashboardBody)) as { widgets: Widget[] }).widgets;
}

/** [namespace, name, dimension, value, …, options?] */
function metricsOf({ properties }: Widget): Metric[] {
  return ((properties.metrics ?? []) as unknown[][]).flatMap((row) => {
    const [namespace, name, ...dimensions] = row.filter((cell) => typeof cell === "string");
    if (namespace === undefined || name === undefined) return [];
    const pairs = dimensions.flatMap((key, at) => (at % 2 === 0 ? [[key, dimensions[at + 1]]] : []));
    return [{ namespace, name, dimensions: Object.fromEntries(pairs) }];
  });
}

function expressionsIn(of: readonly Widget[]): string[] {
  const rows = of.flatMap(({ properties }) => (properties.metrics ?? []) as { expression?: string }[][]);
  return rows.flatMap(([first]) => (first?.expression === undefined ? [] : [first.expression]));
}

/** The metrics in the code that the function of this service runs. */
function emittedBy(service: string): string[] {
  const reporters = globSync("shared/*/report-*.ts", { cwd: ROOT });
  const wiring = globSync("shared/relay/*.ts", { cwd: ROOT });
  const own = globSync(`functions/${service}/*.ts`, { cwd: ROOT });
  const text = (path: string) => readFileSync(join(ROOT, path), "utf8");
  const used = reporters.filter((path) =>
    [...own, ...wiring].some((file) => text(file).includes(path.replace("shared/", ""))),
  );
  expect(own.length).toBeGreaterThan(0);
  return [...own, ...wiring, ...used].flatMap((path) => text(path).match(/(?<=")[A-Z][A-Za-z]+(?=")/g) ?? []);
}
