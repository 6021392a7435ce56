import { describe, expect, it } from "vitest";
import { pathOf, templateRule } from "../../cli/import-eso/go-template.ts";
import { checkTemplate, renderTemplate } from "../../shared/bindings/expressions/liquid.ts";

const VALUES = {
  user: "app",
  password: 'p@ss "w" <1>&',
  host: "db.example.com",
  hosts: "a:1,b:2,",
  pem: "-----BEGIN\nEND-----\n",
  empty: "",
  port: 5432,
  flag: false,
  none: null,
  list: { a: [1] },
  spaced: "\u0085 x\ty \n",
  encoded: "w7w=",
  "pass-word": "dash",
};

function translated(template: string): string {
  const rule = templateRule(template);
  if (rule.kind === "refused") throw new Error(rule.reason);
  const liquid = rule.write((variable) => pathOf(variable));
  expect(checkTemplate(liquid)).toBeUndefined();
  return liquid;
}

// The results are those of Go 1.26 and Sprig 3.3.0 with every value as a text.
describe("a template of External Secrets Operator", () => {
  it.each<[template: string, output: string]>([
    ["{{ .user }}", "app"],
    ["{{.user|toString}}", "app"],
    ['{{ index . "pass-word" }}', "dash"],
    ["{{ $.user }}", "app"],
    ["{{ .flag }}{{ .port }}{{ .none }}{{ .list }}", 'false5432{"a":[1]}'],
    ["{{ .user | upper }}{{ lower .host }}", "APPdb.example.com"],
    ["[{{ .spaced | trim }}]", "[x\ty]"],
    ['{{ .host | trimSuffix ".com" | trimPrefix "db." }}', "example"],
    ['{{ .host | replace "." "-" }}', "db-example-com"],
    ['{{ .port | replace "4" .user }}', "5app32"],
    ['{{ .empty | default "x" }}{{ default "x" .flag }}{{ default 1 .none }}', "xfalse1"],
    ["{{ or .empty .port }}", "5432"],
    ["{{ .password | quote }}", '"p@ss \\"w\\" <1>&"'],
    ["{{ .port | squote }}", "'5432'"],
    ["{{ .password | toJson }}", '"p@ss \\"w\\" \\u003c1\\u003e\\u0026"'],
    ["{{ .port | toJson }}", '"5432"'],
    ["{{ .user | b64enc }}{{ .encoded | b64dec }}", "YXBwü"],
    ['{{ printf "%s:%s" .user .password | b64enc }}', Buffer.from('app:p@ss "w" <1>&').toString("base64")],
    ['{{ printf "%s-%d%%-%v-%q" .user 5 .port .flag }}', 'app-5%-5432-"false"'],
    ['{{ .user | printf "x%s" }}', "xapp"],
    ["{{ .password | urlquery }}", "p%40ss+%22w%22+%3C1%3E%26"],
    ["k: |\n{{ .pem | indent 2 }}", "k: |\n  -----BEGIN\n  END-----\n  "],
    ["k: |{{ .pem | nindent 2 }}", "k: |\n  -----BEGIN\n  END-----\n  "],
    ['{{ splitList "," .hosts | first }}{{ .hosts | splitList "," | last }}', "a:1"],
    ['{{ (split "," .hosts)._1 }}{{ index (splitList ":" .hosts) 1 }}', "b:21,b"],
    ['{{ splitList "," .hosts | join ";" }}{{ list .user .port | join ":" }}', "a:1;b:2;app:5432"],
    ["{{ if .flag }}a{{ else }}b{{ end }}{{ if .none }}c{{ end }}", "a"],
    ["{{ if and .user (not .empty) }}a{{ end }}{{ if or .empty .none }}b{{ end }}", "a"],
    ['{{ if eq .user "x" }}1{{ else if ne .port "1" }}{{ .user | upper }}{{ else }}3{{ end }}', "APP"],
    ["a \n {{- .user -}} \n b{{- /* c */ -}} \t d", "aappbd"],
    ['{"a":{"b":"{{ .user }}"}}', '{"a":{"b":"app"}}'],
    ['{ {{- .user -}} }{%{{ "{{" }}{{ `}}\n"\\` }}', '{app}{%{{}}\n"\\'],
    ['{{ "a\\tb\\u00fc\\"" }}', 'a\tbü"'],
    ["{{ cat .user .port }}{{ print .user .host }}", "app 5432appdb.example.com"],
  ])("%s", (template, output) => {
    expect(renderTemplate(translated(template), VALUES)).toEqual({ kind: "made", text: output });
  });

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
