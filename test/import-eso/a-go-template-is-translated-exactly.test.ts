import { describe, expect, it } from "vitest";
import { pathOf, templateRule } from "../../cli/import-eso/go-template.ts";
import { checkTemplate, renderTemplate } from "../../shared/bindings/expressions/liquid.ts";

const VALUES = { user: "app", host: "db.example.com" };

function translated(template: string): string {
  const rule = templateRule(template);
  if (rule.kind === "refused") throw new Error(rule.reason);
  const liquid = rule.write((variable) => pathOf(variable));
  expect(checkTemplate(liquid)).toBeUndefined();
  return liquid;
}

describe("a template of External Secrets Operator", () => {
  it("is refused without a variable that it asks for, in a condition or an argument too", () => {
    for (const template of [
      "{{ .other }}",
      '{{ .other | default "x" }}',
      "{{ if .other }}{{ end }}",
      '{{ if eq (.other | upper) "A" }}{{ end }}',
      "{{ .user | trimSuffix .other }}",
    ]) {
      expect(renderTemplate(translated(template), VALUES)).toMatchObject({ kind: "missing", name: "other" });
    }
  });

  it("keeps its own variables apart from the keys of the source", () => {
    const liquid = translated("{{ if .text_1 }}{{ .text_1 }}{{ end }}");
    expect(renderTemplate(liquid, { text_1: "a" })).toEqual({ kind: "made", text: "a" });
  });

  it("is written so that a reader knows it again", () => {
    expect(translated("postgres://{{ .user }}:{{ .password | urlquery }}@{{ .host }}")).toBe(
      'postgres://{{ user }}:{{ password | url_encode | replace: "%20", "+" }}@{{ host }}',
    );
    expect(translated("{{ if .user }}x{{ else }}y{{ end }}")).toBe(
      '{% assign text_1 = user | text %}{% if text_1 != "" %}x{% else %}y{% endif %}',
    );
  });
});

describe("a template without an exact equivalent is refused by name, with a way forward", () => {
  it.each<[template: string, reason: RegExp]>([
    ["{{ range .a }}{{ end }}", /range\. Write the key by hand/],
    ["{{ with .a }}{{ . }}{{ end }}", /with\. Use if/],
    ['{{ define "a" }}{{ end }}', /define\./],
    ["{{ $a := .b }}", /variable \$a\. Write its value/],
    ["{{ .a | sha256sum }}", /sha256sum\. Write the key by hand/],
    ["{{ htpasswd .a .b }}", /htpasswd\. .*store the result in the source/],
    ['{{ .a | filterPEM "CERTIFICATE" }}', /filterPEM\. .*pem_certificates/],
    ["{{ (.a | fromJson).b }}", /fromJson\. Name the members as properties/],
    ["{{ .a.b }}", /reads b inside a value/],
    ["{{ . }}", /all values at once/],
    ['{{ printf "%d" .a }}', /printf without a number/],
    ['{{ printf "%5s" .a }}', /printf with %5s/],
    ['{{ printf "%s" .a .b }}', /wrong number of arguments/],
    ['{{ replace "" "x" .a }}', /replace with an empty text/],
    ['{{ splitList "," .a }}', /writes a list\. Use join/],
    ['{{ split "," .a | first }}', /first on something other than/],
    ["{{ if and .a (or .b .c) }}{{ end }}", /condition has a nested or/],
    ["{{ if true }}{{ end }}", /true as a value/],
    ["{{ if .a }}", /if is not closed/],
    ["{{ end }}", /end closes nothing/],
    ["{{ .a", /action is not closed/],
    ["{{ }}", /lacks a value/],
    ["{{ .a .b }}", /without a function/],
    ['{{ .a | "b" }}', /value follows a bar/],
    ["{{ 'a' }}", /contains "'a' }}"/],
    ['{{ "\\x41" }}', /escape \\x/],
    ["{{ .a | upper .b }}", /upper with 2 arguments/],
    ["{{ .a | constructor }}", /constructor\./],
  ])("%s", (template, reason) => {
    const rule = templateRule(template);
    expect(rule).toMatchObject({ kind: "refused", reason: expect.stringMatching(reason) });
  });
});
