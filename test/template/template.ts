import { readFileSync } from "node:fs";
import { parseDocument, type Tags } from "yaml";

/** A template as CloudFormation sees it: the short forms (!Ref, !Sub …) turned into their long ones. */
export type Resource = {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties: Record<string, unknown>;
  readonly [attribute: string]: unknown;
};
export type Parameter = {
  readonly Type: string;
  readonly Default?: string | number;
  readonly Description?: string;
  readonly AllowedPattern?: string;
  readonly AllowedValues?: readonly (string | number)[];
  readonly ConstraintDescription?: string;
};
export type Output = { readonly Description?: string; readonly Value: unknown; readonly Condition?: string };
export type Template = {
  readonly Metadata: {
    readonly "AWS::CloudFormation::Interface"?: {
      readonly ParameterGroups: readonly { readonly Parameters: string[] }[];
    };
  };
  readonly Parameters: Record<string, Parameter>;
  /** monitoring.yaml and webhook-url.yaml have no rules and no mappings. */
  readonly Rules?: Record<
    string,
    { readonly RuleCondition?: unknown; readonly Assertions: readonly Assertion[] }
  >;
  readonly Mappings?: Record<string, Record<string, Record<string, unknown>>>;
  readonly Conditions: Record<string, unknown>;
  readonly Globals: { readonly Function: Record<string, unknown> };
  readonly Resources: Record<string, Resource>;
  readonly Outputs: Record<string, Output>;
};
type Assertion = { readonly Assert: unknown; readonly AssertDescription: string };

export const templateText = readFileSync(new URL("../../template.yaml", import.meta.url), "utf8");

export const template = parse(templateText);

/** The further alarms, the dashboard and the saved queries, a stack of its own. */
export const monitoringText = readFileSync(new URL("../../monitoring.yaml", import.meta.url), "utf8");

export const monitoring = parse(monitoringText);

/** The stack within it that gives the webhook function its URL. */
export const urlTemplateText = readFileSync(new URL("../../webhook-url.yaml", import.meta.url), "utf8");

export const urlTemplate = parse(urlTemplateText);

/** Every resource of a type, for it.each: resources that are added later are included. */
export function ofType(type: string, of: Template = template): [id: string, resource: Resource][] {
  return Object.entries(of.Resources).filter(([, resource]) => resource.Type === type);
}

/** Every event of a type that a function names in its own Events, for it.each. */
export function eventsOf(type: string): [id: string, properties: Record<string, unknown>][] {
  return ofType("AWS::Serverless::Function").flatMap(([, fn]) => {
    const events = (fn.Properties.Events ?? {}) as Record<string, Pick<Resource, "Type" | "Properties">>;
    return Object.entries(events).flatMap(([id, event]) =>
      event.Type === type ? [[id, event.Properties] as [string, Record<string, unknown>]] : [],
    );
  });
}

/** The functions that have a URL, whose callers wait for the response. */
export const calledByUrl: ReadonlySet<string> = new Set(
  ofType("AWS::CloudFormation::Stack").flatMap(([, stack]) => idsIn(stack.Properties.Parameters)),
);

/** Every string in a part of the template, keys of objects left out. */
export function stringsIn(part: unknown): string[] {
  if (typeof part === "string") return [part];
  if (typeof part !== "object" || part === null) return [];
  return Object.values(part).flatMap(stringsIn);
}

/** Ids that Ref, GetAtt, Sub or a condition name in a part of the template. */
export function idsIn(part: unknown): string[] {
  if (typeof part !== "object" || part === null) return [];
  return Object.entries(part).flatMap(([key, value]) => {
    if (key === "Ref" || key === "Condition") return typeof value === "string" ? [value] : idsIn(value);
    if (key === "Fn::GetAtt") return [String((value as unknown[])[0])];
    if (key === "Fn::If") return [String((value as unknown[])[0]), ...idsIn((value as unknown[]).slice(1))];
    if (key === "Fn::Sub") {
      const [text, own = {}] = Array.isArray(value) ? (value as [string, object]) : [String(value)];
      const named = [...text.matchAll(/\$\{([^!}.][^}.]*)(?:\.[^}]+)?\}/g)].map(([, id]) => String(id));
      return [...named.filter((id) => !(id in own)), ...idsIn(own)];
    }
    return idsIn(value);
  });
}

function parse(text: string): Template {
  const document = parseDocument(text, { customTags: shortForms(), schema: "core" });
  if (document.errors.length > 0) throw document.errors[0];
  return document.toJS() as Template;
}

function shortForms(): Tags {
  return [
    "Ref",
    "Condition",
    "Equals",
    "Not",
    "And",
    "Or",
    "If",
    "GetAtt",
    "Sub",
    "Split",
    "Join",
    "Contains",
    "FindInMap",
  ].flatMap((name) => {
    const key = name === "Ref" || name === "Condition" ? name : `Fn::${name}`;
    const tag = `!${name}`;
    return [
      { tag, resolve: (text: string) => ({ [key]: name === "GetAtt" ? splitAtFirstDot(text) : text }) },
      // The items are still nodes here; toJSON gives what their own tags made of them.
      { tag, collection: "seq", resolve: (items: { toJSON(): unknown }) => ({ [key]: items.toJSON() }) },
    ] as Tags;
  });
}

function splitAtFirstDot(text: string): string[] {
  const dot = text.indexOf(".");
  return [text.slice(0, dot), text.slice(dot + 1)];
}
