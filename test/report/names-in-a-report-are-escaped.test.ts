import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SCRIPT, STYLE } from "../../cli/report/assets.ts";
import { renderSweeps, reportSaying } from "./factories.ts";
import { HOSTILE } from "./hostile.ts";

/** The tags of a page, without the text of scripts and styles, as an HTML parser finds them. */
function skeletonOf(page: string): string[] {
  const withoutRaw = page.replace(/(<(script|style)\b[^>]*>)[\s\S]*?(<\/\2)/g, "$1$3");
  return [...withoutRaw.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/="[^"]*"/g, '=""'));
}

const plain = skeletonOf(renderSweeps([reportSaying("a")]));

describe("a string in a report", () => {
  it("is markup according to the check of this test", () => {
    expect(plain.length).toBeGreaterThan(100);
    expect(skeletonOf("<p>a</p><img src=x>")).toHaveLength(3);
  });

  it.each(HOSTILE)("adds no tag and no attribute to the page: %j", (text) => {
    expect(skeletonOf(renderSweeps([reportSaying(text)]))).toEqual(plain);
  });

  it("adds none for any string, and the data can be read back", () => {
    const pieces = fc.constantFrom(
      "<",
      ">",
      "</script",
      "<!--",
      "-->",
      '"',
      "'",
      "&",
      "`",
      "=",
      "\\",
      "/",
      "\u2028",
    );
    const text = fc
      .array(fc.oneof(pieces, fc.string({ unit: "binary" })), { maxLength: 8 })
      .map((parts) => `a${parts.join("")}`);
    fc.assert(
      fc.property(text, (said) => {
        const page = renderSweeps([reportSaying(said)]);

        expect(skeletonOf(page)).toEqual(plain);
        const [, data = ""] =
          page.match(/<script type="application\/json" id="rows">([^<]*)<\/script>/) ?? [];
        expect(JSON.parse(data).texts).toContain(said);
      }),
      { numRuns: 150 },
    );
  });
});

describe("the page's policy", () => {
  const page = renderSweeps([reportSaying("a")]);
  const [, policy = ""] = page.match(/Content-Security-Policy" content="([^"]*)"/) ?? [];
  const hash = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;

  it("allows only its script and its style, by their digests", () => {
    expect(policy.replaceAll("&#39;", "'").split("; ")).toEqual([
      "default-src 'none'",
      `style-src '${hash(STYLE)}'`,
      `script-src '${hash(SCRIPT)}'`,
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]);
  });

  it("comes before everything that it restricts", () => {
    expect(page.indexOf("Content-Security-Policy")).toBeLessThan(page.indexOf("<title"));
  });
});
