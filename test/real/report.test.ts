import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../docs/markdown.ts";
import { fleetSweeps } from "../report/any-fleet.ts";
import { finding, renderSweeps, reportSaying, sweepReport } from "../report/factories.ts";
import { HOSTILE } from "../report/hostile.ts";
import { launchBrowser, type OpenPage, openFile } from "./report/browser.ts";
import { decodePng } from "./report/decode-png.ts";

// The page of `secret-relay report` in a real Chromium, from a file as a reader opens it. About 20 s.

const WHERE = { account: "111122223333", region: "eu-west-1", stack: "secret-relay", relay: "secret-relay" };

let browser: Browser;
let folder: string;
let fleetFile: string;
const opened: OpenPage[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  folder = mkdtempSync(join(tmpdir(), "secret-relay-report-"));
  const sweeps = fleetSweeps({ bindings: 10_000, sweeps: 12 }).map((one) => ({ ...one, where: WHERE }));
  fleetFile = write("fleet.html", renderSweeps(sweeps));
});
afterEach(async () => {
  for (const { page, requests, complaints } of opened.splice(0)) {
    expect(complaints).toEqual([]);
    expect(requests).toEqual([]);
    await page.context().close();
  }
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Opened as asked; that nothing was requested and nothing complained is checked after each test. */
async function open(file: string, options?: Parameters<typeof openFile>[2]): Promise<Page> {
  const one = await openFile(browser, file, options);
  opened.push(one);
  return one.page;
}

const fieldOf = (page: Page, name: string) => page.locator(`#filters [name=${name}]`);
const rowsOf = (page: Page) => page.locator("#body tr").count();
const found = (page: Page) => page.locator("#found").textContent();

describe("ten thousand bindings", () => {
  it("are shown, the most urgent first, and filtered by every filter", async () => {
    const page = await open(fleetFile);

    expect(await found(page)).toBe("10,000 Secrets");
    expect(await rowsOf(page)).toBe(50);
    expect(await page.locator("#body .badge").first().textContent()).toBe("Action needed");

    await fieldOf(page, "cluster").selectOption("prod-eu-1");
    const ofCluster = await found(page);
    await fieldOf(page, "namespace").selectOption("team-shop");
    const ofNamespace = await found(page);
    await fieldOf(page, "source").fill("prod/shop/DATABASE-6");
    const ofSource = await found(page);
    await fieldOf(page, "q").fill("in order 600");
    const bySearch = await found(page);

    const counts = [ofCluster, ofNamespace, ofSource, bySearch].map((text) =>
      Number(text?.match(/^([\d,]+) of 10,000/)?.[1]?.replace(",", "")),
    );
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    expect(counts.at(-1)).toBeGreaterThan(0);
    expect(new Set(counts).size).toBe(4);
    for (const row of await page.locator("#body tr").allTextContents()) {
      expect(row).toMatch(/team-shop · prod-eu-1/);
      expect(row).toMatch(/database-6/);
    }

    await page.getByRole("button", { name: "Clear" }).click();
    await expect.poll(() => found(page)).toBe("10,000 Secrets");
  });

  it("are found by name, version and text, and a search without a match says so", async () => {
    const page = await open(fleetFile);
    const search = fieldOf(page, "q");

    await search.fill("api-token-9999");
    expect(await page.locator("#body b").allTextContents()).toEqual(["api-token-9999"]);
    const version = await page.locator("#body code").first().getAttribute("title");
    await search.fill(version ?? "");
    expect(await page.locator("#body b").allTextContents()).toEqual(["api-token-9999"]);
    await search.fill("set adopt");
    expect(await page.locator("#body .badge").allTextContents()).toEqual(Array(4).fill("Action needed"));
    await search.fill("no such thing");
    expect(await page.locator("#body").textContent()).toMatch(/No Secret matches/);
  });

  it("are sorted by a column, up and down, with aria-sort for screen readers", async () => {
    const page = await open(fleetFile);
    const header = page.locator("[data-sort=name]");

    await header.getByRole("button").click();
    expect(await header.getAttribute("aria-sort")).toBe("ascending");
    const [first = ""] = await page.locator("#body b").allTextContents();
    await header.getByRole("button").click();
    expect(await header.getAttribute("aria-sort")).toBe("descending");
    const [last = ""] = await page.locator("#body b").allTextContents();

    expect(first < last).toBe(true);
  });

  it("are filtered by a click on a count, and the address keeps the view", async () => {
    const page = await open(fleetFile);

    await page.getByRole("link", { name: /^Action needed/ }).click();
    expect(await found(page)).toBe("4 of 10,000 Secrets");
    const { hash } = new URL(page.url());
    const again = await open(fleetFile);
    await again.evaluate(`location.hash = ${JSON.stringify(hash)}`);

    await expect.poll(() => found(again)).toBe("4 of 10,000 Secrets");
  });
});

describe("with the keyboard alone", () => {
  it("a reader skips to the Secrets, searches, turns pages and keeps the focus", async () => {
    const page = await open(fleetFile);

    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.className")).toBe("skip");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.name")).toBe("q");
    await page.keyboard.type("database");
    const matching = await found(page);
    expect(matching).toMatch(/^2,\d{3} of 10,000 Secrets$/);

    await tabTo(page, "Next");
    await page.keyboard.press("Enter");
    expect(await page.locator("#pages span").textContent()).toBe("51–100");
    await page.keyboard.press("Enter");
    expect(await page.locator("#pages span").textContent()).toBe("101–150");
    await tabTo(page, "Last");
    await page.keyboard.press("Enter");
    // "Last" has ended its way and is disabled: the focus is on a button that is not.
    expect(await page.evaluate("document.activeElement.dataset.go")).toBe("First");
  });

  it("every focus is visible", async () => {
    const page = await open(fleetFile);
    const seen: string[] = [];
    for (let at = 0; at < 40; at += 1) {
      await page.keyboard.press("Tab");
      seen.push(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle"));
    }
    expect(new Set(seen)).toEqual(new Set(["solid"]));
  });

  /** Presses Tab until the button of the pages with that name has the focus. */
  async function tabTo(page: Page, name: string): Promise<void> {
    for (let at = 0; at < 60; at += 1) {
      if ((await page.evaluate("document.activeElement.dataset.go")) === name) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`${name} cannot be reached`);
  }
});

describe("accessibility, by axe", () => {
  const axe = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

  it.each([
    ["light", 1_280],
    ["dark", 1_280],
    ["light", 390],
    ["dark", 390],
  ] as const)("finds nothing to object to: %s at %i px", async (colorScheme, width) => {
    const page = await open(fleetFile, { colorScheme, viewport: { width, height: 900 } });
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");

    await page.evaluate(await axe);
    const { violations, passes } = await page.evaluate<{
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
      passes: unknown[];
    }>("axe.run(document, { resultTypes: ['violations', 'passes'] })");

    expect(
      violations.map(({ id, nodes }) => [
        id,
        nodes.slice(0, 3).map(({ html, failureSummary }) => [html, failureSummary]),
      ]),
    ).toEqual([]);
    expect(passes.length).toBeGreaterThan(20);
  });

  it("every chart has a name, a sentence and its numbers as a table", async () => {
    const page = await open(fleetFile);
    const charts = page.locator("figure.chart");

    expect(await charts.count()).toBe(4);
    for (const figure of await charts.all()) {
      expect(await figure.getByRole("img").getAttribute("aria-label")).toMatch(/\.$/);
      expect(await figure.locator("tbody tr").count()).toBeGreaterThan(1);
    }
  });
});

describe("the layout", () => {
  it.each([360, 390, 768, 1_280])("fits into a window of %i px, and is not blank", async (width) => {
    const page = await open(fleetFile, { viewport: { width, height: 900 } });
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");

    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    const picture = decodePng(await page.screenshot());
    expect(picture.colors()).toBeGreaterThan(50);
    expect(picture.shareOf(picture.colorAt(2, 2))).toBeLessThan(0.95);
  });

  it.each([390, 1_280])("names the installation in its head at %i px", async (width) => {
    const page = await open(fleetFile, { viewport: { width, height: 844 } });
    const place = page.locator("header .place");

    expect(await place.locator("dd").allTextContents()).toEqual(Object.values(WHERE));
    const box = await place.boundingBox();
    expect((box?.y ?? 844) + (box?.height ?? 0)).toBeLessThan(844);
  });

  it("follows the theme of the system, or the chosen one", async () => {
    const light = await open(fleetFile, { colorScheme: "light" });
    const dark = await open(fleetFile, { colorScheme: "dark" });
    const brightness = async (page: Page) => decodePng(await page.screenshot()).brightness();

    expect(await brightness(light)).toBeGreaterThan(0.85);
    expect(await brightness(dark)).toBeLessThan(0.25);

    await dark.getByRole("button", { name: /Theme/ }).click();
    expect(await brightness(dark)).toBeGreaterThan(0.85);
    await light.getByRole("button", { name: /Theme/ }).click();
    await light.getByRole("button", { name: /Theme/ }).click();
    expect(await brightness(light)).toBeLessThan(0.25);
  });

  it("has a line in each chart that is where its numbers are", async () => {
    const page = await open(fleetFile, { colorScheme: "light", viewport: { width: 1_440, height: 900 } });
    const plot = page.locator("figure.chart[aria-labelledby=latency-title] svg");
    await plot.scrollIntoViewIfNeeded();

    const picture = decodePng(await plot.screenshot());

    // The median, the 99th percentile and the slowest each cross the middle once, in their own colours.
    const crossed = picture.column(Math.floor(picture.width / 2)).filter(isColoured);
    expect(crossed.length).toBeGreaterThanOrEqual(3);
  });

  it("is a readable summary without script", async () => {
    const page = await open(fleetFile, { javaScriptEnabled: false });

    expect(await page.locator(".figure").textContent()).toMatch(/^99\.\d%$/);
    expect(await page.locator("figure.chart").count()).toBe(4);
    expect(await page.locator("#filters").isVisible()).toBe(false);
    expect(await page.locator("#theme").isVisible()).toBe(false);
    expect(await page.locator("noscript").textContent()).toMatch(/first \d+ of 10,000 Secrets/);
    expect(await rowsOf(page)).toBeGreaterThan(10);
  });

  it("is the same row with and without script", async () => {
    const withScript = await open(fleetFile);
    const without = await open(fleetFile, { javaScriptEnabled: false });
    const first = (page: Page) =>
      page
        .locator("#body tr")
        .nth(17)
        .evaluate((row: { outerHTML: string }) => row.outerHTML.replace(/\s*\n\s*/g, ""));

    expect(await first(withScript)).toBe(await first(without));
  });

  it("says so if no action is needed", async () => {
    const page = await open(write("well.html", renderSweeps([sweepReport({ bindings: 3, checked: 3 })])));

    expect(await page.locator(".figure").textContent()).toBe("100%");
    expect(await page.locator(".verdict").textContent()).toBe("No action needed.");
    expect(await page.locator("#targets").textContent()).toMatch(/3 Secrets in order are not listed here/);
  });
});

describe("the command for a problem", () => {
  const planned = () =>
    write(
      "planned.html",
      renderSweeps([
        sweepReport({
          plan: true,
          bindings: 1,
          checked: 1,
          targets: [finding("db", { outcome: undefined })],
        }),
      ]),
    );
  const NAME = "Copy the command for db in shop of prod";

  it("is copied by its button", async () => {
    const page = await open(planned(), { permissions: ["clipboard-read", "clipboard-write"] });

    await page.getByRole("button", { name: NAME }).click();

    await expect
      .poll(() => page.evaluate("navigator.clipboard.readText()"))
      .toBe("secret-relay sync shop/db");
  });

  it("is selected if the clipboard is not available", async () => {
    const page = await open(planned());
    await page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))");

    await page.getByRole("button", { name: NAME }).click();

    await expect.poll(() => page.evaluate("getSelection().toString()")).toBe("secret-relay sync shop/db");
  });

  it("is on the page without script, and its button is not", async () => {
    const page = await open(planned(), { javaScriptEnabled: false });

    expect(await page.locator(".command code").textContent()).toBe("secret-relay sync shop/db");
    expect(await page.locator("button.copy").isVisible()).toBe(false);
  });
});

describe("the picture of the README", () => {
  it("is 1,000 px wide and loads fast", () => {
    const bytes = readFileSync(join(ROOT, "docs/report.png"));

    expect(decodePng(bytes).width).toBe(1_000);
    expect(bytes.length).toBeLessThan(150_000);
  });
});

describe("a hostile name", () => {
  it.each(HOSTILE)("runs nothing, loads nothing and is shown unchanged: %j", async (text) => {
    const page = await open(write("hostile.html", renderSweeps([reportSaying(text)])));

    for (const focusable of await page.locator("a, button, input, select").all()) await focusable.focus();
    await fieldOf(page, "q").fill(text.replace(/\s+/g, " "));

    expect(await page.evaluate("window.ran")).toBeUndefined();
    expect(await page.locator("script").count()).toBe(2);
    expect(await page.locator("iframe, img, base, object, embed").count()).toBe(0);
    expect(await page.evaluate("document.getElementById('rows').textContent.length")).toBeGreaterThan(100);
    const names = await page.evaluate<string[]>(
      "JSON.parse(document.getElementById('rows').textContent).texts",
    );
    expect(names).toContain(text);
  });

  it("is blocked by the policy even as markup", async () => {
    const text = renderSweeps([reportSaying("a")]).replace(
      "</main>",
      "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'></main>",
    );
    const one = await openFile(browser, write("broken.html", text));

    expect(await one.page.evaluate("window.ran")).toBeUndefined();
    expect(
      one.complaints.filter((complaint) => complaint.startsWith("violation")).length,
    ).toBeGreaterThanOrEqual(2);
    await one.page.context().close();
  });
});

const isColoured = ([red = 0, green = 0, blue = 0]: readonly number[]): boolean =>
  Math.max(red, green, blue) - Math.min(red, green, blue) > 12;
