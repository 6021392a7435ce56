import { createHash } from "node:crypto";
import type { SweepPlace } from "../../shared/sweep/report.ts";
import { countOf, instantOf, percentOf, plural, spanOf } from "../terminal/format.ts";
import { SCRIPT, STYLE } from "./assets.ts";
import { type Html, html, jsonForScript } from "./html.ts";
import type { ClusterSummary, FleetReport, Reason, Row } from "./model.ts";
import { packRows } from "./pack-rows.ts";
import { STATE_ORDER, STATES, type State } from "./states.ts";
import { trends } from "./trends.ts";

/** The report as one self-contained HTML page. Pure. */
export function renderPage(report: FleetReport): string {
  const { rows, latest } = report;
  const charts = trends(report);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Fleet report, ${instantOf(latest.at)}</title>
<link rel="icon" href="data:,">
<style>${{ markup: STYLE }}</style>
</head>
<body>
<a class="skip" href="#targets">Skip to the Secrets</a>
<header class="top">
<div>
<p class="eyebrow">secret-relay</p>
<h1>Fleet report</h1>
<p class="when">${whenOf(report)}</p>
${report.places.map(place)}
</div>
<button type="button" id="theme" hidden>Theme: system</button>
</header>
<main>
${hero(report)}
${reasons(report.reasons)}
${charts.length > 0 && html`<section aria-labelledby="trends-title"><h2 id="trends-title">Trends</h2><div class="charts">${charts}</div></section>`}
${clusters(report.clusters)}
${targets(report)}
</main>
<footer>
<p>Generated ${instantOf(report.madeAt)} by secret-relay ${report.release} from ${plural(report.sweeps.length, "sweep")}${report.measured && ` and CloudWatch, ${instantOf(report.measured.from)} to ${instantOf(report.measured.to)}`}. It contains names, versions, times and codes, but no secret values. All times are UTC.</p>
${report.missing.map((sentence) => html`<p class="missing">${sentence}</p>`)}
</footer>
<script type="application/json" id="rows">${jsonForScript(packRows(rows))}</script>
<script>${{ markup: SCRIPT }}</script>
</body>
</html>
`.markup;
}

/** Blocks all requests, any other script, and markup made from strings (trusted types). */
function policy(): string {
  return [
    "default-src 'none'",
    `style-src '${hashOf(STYLE)}'`,
    `script-src '${hashOf(SCRIPT)}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

const hashOf = (text: string): string => `sha256-${createHash("sha256").update(text).digest("base64")}`;

function whenOf({ latest, bindings }: FleetReport): string {
  const mode = latest.mode === "metadata" ? "Sweep by metadata" : "Sweep by values";
  return `${mode}${latest.plan ? ", as a plan" : ""} · ${instantOf(latest.at)} · ${plural(bindings, "binding")}${latest.ms > 0 ? ` in ${spanOf(latest.ms)}` : ""}`;
}

function place({ account, region, stack, relay }: SweepPlace): Html {
  const facts = { Account: account, Region: region, Stack: stack, Relay: relay };
  return html`<dl class="place">${Object.entries(facts).map(
    ([name, value]) => value !== undefined && html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

function hero({ counts, bindings, latest, rows }: FleetReport): Html {
  const fresh = counts.fresh + counts.repaired;
  const total = STATE_ORDER.reduce((sum, state) => sum + counts[state], 0);
  const oldest = latest.oldestStaleMs;
  const verdict =
    counts.refused > 0
      ? html`<p class="verdict tone-refused">${plural(counts.refused, "Secret")} ${counts.refused === 1 ? "needs" : "need"} action.</p>`
      : counts.unknown > 0
        ? html`<p class="verdict tone-unknown">${plural(counts.unknown, "Secret")} could not be checked.</p>`
        : counts.drifted > 0
          ? html`<p class="verdict tone-drifted">${plural(counts.drifted, "Secret")} drifted. The next sweep repairs ${counts.drifted === 1 ? "it" : "them"}.</p>`
          : html`<p class="verdict tone-fresh">No action needed.</p>`;
  return html`<section class="hero" aria-labelledby="fresh-title">
<div class="share">
<h2 id="fresh-title">Freshness</h2>
<p class="figure">${percentOf(fresh, bindings)}</p>
<p>${countOf(fresh)} of ${countOf(bindings)} Kubernetes Secrets have the current version of their source.</p>
${verdict}
${latest.shardsMissing > 0 && html`<p class="verdict tone-unknown">${plural(latest.shardsMissing, "shard")} of this sweep ${latest.shardsMissing === 1 ? "is" : "are"} not in this report.</p>`}
</div>
<div class="states">
${stateBar(counts, total)}
<ul class="legend">${STATE_ORDER.toReversed().map(
    (state) =>
      html`<li class="tone-${state}"><a href="#targets" data-filter="${queryOf({ state })}"><span>${STATES[state].name}</span> <b>${countOf(counts[state])}</b></a>${counts[state] > 0 && html`<p>${STATES[state].meaning}</p>`}</li>`,
  )}</ul>
<dl class="facts">
<div><dt>Oldest stale Secret</dt><dd>${oldest === 0 ? "none" : spanOf(oldest)}</dd></div>
<div><dt>Affected sources</dt><dd>${countOf(new Set(rows.filter(({ state }) => state !== "fresh").map(({ source }) => source)).size)}</dd></div>
</dl>
</div>
</section>`;
}

/** Each state with a count has a minimum width. Otherwise three of ten thousand would be invisible. */
function stateBar(counts: Readonly<Record<State, number>>, total: number): Html {
  const present = STATE_ORDER.toReversed().filter((state) => counts[state] > 0);
  const widths = present.map((state) => Math.max(8, (1_000 * counts[state]) / Math.max(1, total)));
  const sum = widths.reduce((all, width) => all + width, 0);
  let x = 0;
  const parts = present.map((state, at) => {
    const width = ((widths[at] ?? 0) * 1_000) / sum;
    const part = html`<rect class="tone-${state}" x="${x.toFixed(2)}" y="0" width="${Math.max(0, width - 2).toFixed(2)}" height="10"/>`;
    x += width;
    return part;
  });
  const summary = present.map((state) => `${STATES[state].name} ${countOf(counts[state])}`).join(", ");
  return html`<svg class="statebar" viewBox="0 0 998 10" preserveAspectRatio="none" role="img" aria-label="${summary}">${parts}</svg>`;
}

function reasons(reasons: readonly Reason[]): Html | undefined {
  if (reasons.length === 0) return undefined;
  return html`<section aria-labelledby="reasons-title">
<h2 id="reasons-title">Problems</h2>
<ul class="reasons">${reasons.map(reasonOf)}</ul>
</section>`;
}

function reasonOf({ state, code, meaning, count, oldestStaleMs, advice, examples }: Reason): Html {
  const more = count - examples.length;
  return html`<li class="card">
<div class="cause">${badge(state)}<h3><code>${code}</code></h3><p>${plural(count, "Secret")}${oldestStaleMs > 0 && `, ${count > 1 ? "the oldest " : ""}stale for ${spanOf(oldestStaleMs)}`}</p></div>
<p>${meaning}</p>
${advice !== "" && html`<p class="advice">${advice}</p>`}
<ul class="examples">${examples.map(
    ({ cluster, namespace, name, command }) =>
      html`<li><span><b>${name}</b> ${namespace} · ${cluster}</span>${command !== undefined && html`<span class="command"><code>${command}</code><button type="button" class="copy" hidden aria-label="Copy the command for ${name} in ${namespace} of ${cluster}">Copy</button></span>`}</li>`,
  )}</ul>
<p><a href="#targets" data-filter="${queryOf({ state, code })}">${more > 0 ? html`List all ${countOf(count)} Secrets` : "Show in the list"}<span class="hidden"> with ${code}</span></a></p>
</li>`;
}

function clusters(clusters: readonly ClusterSummary[]): Html | undefined {
  if (clusters.length < 2) return undefined;
  const head = html`<thead><tr><th scope="col">Cluster</th>${STATE_ORDER.map((state) => html`<th scope="col" class="number">${STATES[state].name}</th>`)}<th scope="col">Oldest stale</th></tr></thead>`;
  const bodyOf = (group: readonly ClusterSummary[]) =>
    group.map(
      ({ cluster, counts, oldestStaleMs }) =>
        html`<tr><th scope="row"><a href="#targets" data-filter="${queryOf({ cluster })}">${cluster}</a></th>${STATE_ORDER.map(
          (state) =>
            html`<td class="number ${counts[state] === 0 ? "zero" : `tone-${state}`}">${countOf(counts[state])}</td>`,
        )}<td>${oldestStaleMs === 0 ? "–" : spanOf(oldestStaleMs)}</td></tr>`,
    );
  const tableOf = (group: readonly ClusterSummary[], label: string) =>
    html`<div class="scroll card" tabindex="0" role="region" aria-label="${label}"><table class="clusters">${head}<tbody>${bodyOf(group)}</tbody></table></div>`;
  const rest = clusters.slice(CLUSTERS_SHOWN);
  return html`<section aria-labelledby="clusters-title">
<h2 id="clusters-title">Clusters</h2>
<p class="note">Counts of the Secrets that are listed below.</p>
${tableOf(clusters.slice(0, CLUSTERS_SHOWN), "Clusters, as a table")}
${rest.length > 0 && html`<details><summary>${plural(rest.length, "more cluster")}</summary>${tableOf(rest, "More clusters, as a table")}</details>`}
</section>`;
}

const CLUSTERS_SHOWN = 10;

function targets({ rows, unnamed }: FleetReport): Html {
  const notable = rows.filter(({ state }) => state !== "fresh");
  const shown = (notable.length > 0 ? notable : rows).slice(0, ROWS_WITHOUT_SCRIPT);
  return html`<section aria-labelledby="targets-title" id="targets" tabindex="-1">
<h2 id="targets-title">Secrets</h2>
${unnamed > 0 && html`<p class="note">${plural(unnamed, "Secret")} in order ${unnamed === 1 ? "is" : "are"} not listed here. To list them, run the sweep with --inventory.</p>`}
<noscript><p class="note">Without JavaScript, this page shows the first ${countOf(shown.length)} of ${plural(rows.length, "Secret")}, the most urgent first.</p></noscript>
<form id="filters" role="search" aria-label="Secrets" hidden>
<label class="wide">Search <input type="search" name="q" autocomplete="off" spellcheck="false" placeholder="Name, version, code or text"></label>
<label>State <select name="state"><option value="">Any</option>${STATE_ORDER.map((state) => html`<option value="${state}">${STATES[state].name}</option>`)}</select></label>
<label>Cluster <select name="cluster"><option value="">Any</option></select></label>
<label>Namespace <select name="namespace"><option value="">Any</option></select></label>
<label>Source <input type="text" name="source" list="sources" autocomplete="off" spellcheck="false" placeholder="Any part"></label>
<datalist id="sources"></datalist>
<label>Code <select name="code"><option value="">Any</option></select></label>
<button type="reset">Clear</button>
</form>
<p id="found" role="status" aria-live="polite"></p>
<table class="targets card" role="table" aria-labelledby="targets-title">
<thead role="rowgroup"><tr role="row">${COLUMNS.map(
    ({ name, sort }) =>
      html`<th scope="col" role="columnheader"${sort !== undefined && html` data-sort="${sort}"`}>${name}</th>`,
  )}</tr></thead>
<tbody role="rowgroup" id="body">${shown.map(rowOf)}</tbody>
</table>
<nav id="pages" aria-label="Pages of Secrets" hidden></nav>
</section>`;
}

/** The query that page.js filters by. */
const queryOf = (filters: Record<string, string>): string => new URLSearchParams(filters).toString();

const ROWS_WITHOUT_SCRIPT = 100;

/** page.js creates the same row. */
function rowOf(row: Row): Html {
  return html`<tr role="row">
<td role="cell">${badge(row.state)}</td>
<th role="rowheader" scope="row"><b>${row.name}</b><span>${row.namespace} · ${row.cluster}</span></th>
<td role="cell">${row.source}</td>
<td role="cell">${row.versionId && html`<code title="${row.versionId}">${shortVersion(row.versionId)}</code>`}${row.writtenAt && html`<span>${instantOf(Date.parse(row.writtenAt))}</span>`}${row.effective !== "" && html`<span>${row.effective}</span>`}</td>
<td role="cell">${row.code !== "" && html`<code>${row.code}</code> `}${[row.meaning, row.why].filter(Boolean).join(" ")}${row.advice !== "" && html`<span>${row.advice}</span>`}${row.command !== undefined && html`<span><code>${row.command}</code></span>`}</td></tr>`;
}

/** Enough to distinguish versions. The title and the search have the whole ID. */
const shortVersion = (versionId: string): string =>
  versionId.length > 12 ? `${versionId.slice(0, 8)}…` : versionId;

const COLUMNS = [
  { name: "State", sort: "state" },
  { name: "Secret", sort: "name" },
  { name: "Source", sort: "source" },
  { name: "Version and time", sort: "written" },
  { name: "Reason and fix", sort: undefined },
];

const badge = (state: State): Html => html`<span class="badge tone-${state}">${STATES[state].name}</span>`;
