import schema from "./bindings.schema.json" with { type: "json" };
import { findSchemaProblems, type SchemaPart, type SchemaProblem } from "./find-schema-problems.ts";
import type { Path, Place, ProblemList } from "./problem-list.ts";
import { quoteName } from "./quote-name.ts";
import { suggestName } from "./suggest-name.ts";

/** Reports every violation of bindings.schema.json in `file`. */
export function checkSchema(file: unknown, problems: ProblemList): void {
  findSchemaProblems(schema, file, (fault) => {
    const { place, message, fix } = complaintOf(fault);
    problems.add(place, message, fix);
    return !problems.truncated;
  });
}

type Complaint = { readonly place: Place; readonly message: string; readonly fix: string };

function complaintOf(fault: SchemaProblem): Complaint {
  const { keyword, path, part, rule, data, property = "" } = fault;
  const place: Place = fault.isKey ? { path: [...path, String(data)], part: "key" } : { path };
  switch (keyword) {
    case "additionalProperties":
      return unknownKey(path, property, part);
    case "required":
    case "dependentRequired":
      return missingKey(path, property, part);
    case "type":
      return { place, ...wrongType(data, part) };
    case "pattern":
      return {
        place,
        message: part.patternErrorMessage ?? "This is not as the schema says",
        fix: tidied(fault, path, part),
      };
    case "const":
      return { place, ...wrongConstant(rule) };
    case "enum":
      return {
        place,
        message: "This is none of the values that are possible here",
        fix: oneOf(rule),
      };
    case "minimum":
    case "maximum":
      return {
        place,
        message: `The ${keyword} here is ${rule}`,
        fix: `Write a whole number, for example ${rule}`,
      };
    case "not":
      return {
        place: { path: [...path, "value"], part: "key" },
        message: "A binding has either keys or value, and this one has both",
        fix: "Keep keys to take keys of a JSON object, or value to put the whole value under one key",
      };
    case "minItems":
    case "minProperties":
    case "minLength":
      return { place, message: "This is empty", fix: exampleOf(part) };
    case "maxItems":
    case "maxProperties":
      return {
        place,
        message: `More than ${rule} entries are not supported`,
        fix: "Split it over several stacks",
      };
    default:
      return { place, message: "This is not as the schema says", fix: "See docs/reference.md" };
  }
}

function oneOf(allowed: unknown): string {
  const names = (allowed as readonly string[]).map(String);
  return `Write ${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function wrongConstant(allowed: unknown): { message: string; fix: string } {
  const message = `The only value that is possible here is ${allowed}`;
  if (allowed !== "all") return { message, fix: `Write ${allowed}` };
  return {
    message: "As plain text, the only value that is possible here is all",
    fix: "Write all, or put the key in brackets to make it a list",
  };
}

function unknownKey(path: Path, key: string, part: SchemaPart): Complaint {
  const known = Object.keys(part.properties ?? {});
  const meant = suggestName(key, known);
  const choice = `possible here: ${known.join(", ")}`;
  const fix =
    key === "<<"
      ? "Merge keys are not supported; use defaults, or an alias for the whole value"
      : meant === undefined
        ? `Remove it; ${choice}`
        : `Did you mean ${meant}? Otherwise remove it; ${choice}`;
  return {
    place: { path: [...path, key], part: "key" },
    message: `There is no setting ${quoteName(key)}`,
    fix,
  };
}

function missingKey(path: Path, key: string, part: SchemaPart): Complaint {
  const pinned = key === "endpoint" || key === "certificateAuthorityData";
  return {
    place: { path },
    message: pinned ? `${key} is missing; the two pinned settings go together` : `${key} is missing`,
    fix: `Add ${key}${exampleSuffix(part.properties?.[key])}${pinned ? ", or remove the other one" : ""}`,
  };
}

function wrongType(data: unknown, part: SchemaPart): { message: string; fix: string } {
  const expected = [part.type ?? []].flat();
  const found = typeNameOf(data);
  const message = `${capitalised(expected.map((type) => TYPE_WORDS[type] ?? type).join(" or "))} is expected here, and this is ${found}`;
  if (data === null) return { message, fix: `Write a value${exampleSuffix(part)}, or remove the key` };
  if (expected[0] === "string" && typeof data !== "object") return { message, fix: "Put it in quotes" };
  if (expected[0] === "array" && found === "a map")
    return { message, fix: "Start it with a hyphen, as an entry of a list" };
  if (expected[0] === "boolean") return { message, fix: "Write true or false, without quotes" };
  return { message, fix: exampleOf(part) };
}

const capitalised = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: "text",
  array: "a list",
  object: "a map",
  boolean: "true or false",
  integer: "a whole number",
};

function typeNameOf(data: unknown): string {
  if (data === null) return "empty";
  if (Array.isArray(data)) return "a list";
  if (typeof data === "object") return "a map";
  return typeof data === "string" ? "text" : `a ${typeof data}`;
}

/** For names, what was written, made legal if that is easy; for all else the schema's example. */
function tidied({ data: written, rule }: SchemaProblem, path: Path, part: SchemaPart): string {
  if (part.suggestTidied !== true || typeof written !== "string" || written.length > 300)
    return exampleOf(part);
  const legal = new RegExp(String(rule), "u");
  const safe = written.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-._]+|[-._]+$/g, "");
  const lower = safe.toLowerCase();
  // The last is for the name of an Availability Zone, which is a Region's and a letter.
  const candidates = [safe, lower, lower.replace(/[._-]+/g, "-"), lower.replace(/(?<=[0-9])[a-z]$/, "")];
  const found = candidates.find((candidate) => legal.test(candidate));
  if (found === undefined) return exampleOf(part);
  // In the list form, one word is the key of both sides, and only the Secret's can be changed here.
  const listed = path.includes("keys") && typeof path.at(-1) === "number";
  return listed ? `Write keys as a map, for example {${found}: ${quoteName(written)}}` : `Write ${found}`;
}

function exampleOf(part: SchemaPart): string {
  const suffix = exampleSuffix(part);
  return suffix === "" ? "See docs/reference.md" : `Write it like${suffix.replace(", for example", "")}`;
}

function exampleSuffix(part: (SchemaPart & { readonly $ref?: string }) | undefined): string {
  const example = (part?.examples ?? definitionOf(part?.$ref)?.examples)?.[0];
  return example === undefined
    ? ""
    : `, for example ${typeof example === "string" ? example : JSON.stringify(example)}`;
}

function definitionOf(ref: string | undefined): SchemaPart | undefined {
  const name = ref?.replace("#/$defs/", "") ?? "";
  return (schema.$defs as Readonly<Record<string, SchemaPart>>)[name];
}
