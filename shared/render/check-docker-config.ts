import {
  isTreeObject,
  type JsonTree,
  type JsonTreeObject,
  parseJsonTree,
} from "../bindings/expressions/json-tree.ts";
import { quoteName } from "../bindings/quote-name.ts";
import type { Refuse } from "./errors.ts";
import { findJsonFault } from "./find-json-fault.ts";
import { positionOf } from "./position-of.ts";

/**
 * Returns the text to write, which kubelet reads as k8s.io/kubernetes/pkg/credentialprovider (1.36) does: one wrong entry
 * makes it drop the whole Secret, and an entry without credentials is empty.
 */
export function checkDockerConfig(key: string, given: string, refuse: Refuse): string {
  const invalid = (why: string): never => refuse("DOCKER_CONFIG_INVALID", `${key} ${why}`);
  // Go's JSON parser refuses a byte order mark.
  const text = given.replace(/^\ufeff/, "");
  const fault = findJsonFault(text);
  if (fault !== undefined) {
    const where = fault.at === undefined ? "" : ` at ${positionOf(text, fault.at)}`;
    return invalid(`is not JSON: it has ${fault.what}${where}. ${fault.fix}.`);
  }
  const root = parseJsonTree(text)?.root;
  if (!isTreeObject(root)) return invalid("is not a JSON object.");
  const registries = key === ".dockercfg" ? root : authsIn(root, invalid);
  let isUsable = false;
  for (const [registry, entry] of Object.entries(registries)) {
    const fault = faultOf(entry);
    if (fault !== undefined) return invalid(`has the registry ${quoteName(registry)}, ${fault}.`);
    isUsable ||= hasCredentials(entry);
  }
  if (!isUsable) {
    return invalid(
      "has no registry with credentials, and kubelet reads no credHelpers or credsStore. Give a registry auth, or username and password.",
    );
  }
  return text;
}

function authsIn(root: JsonTreeObject, invalid: (why: string) => never): JsonTreeObject {
  const isTextMap = (value: JsonTree) => isTreeObject(value) && Object.values(value).every(isText);
  if (!fieldsOf(root, "HttpHeaders").every(isTextMap)) {
    invalid("has HttpHeaders that are not an object of strings, so kubelet refuses the whole Secret.");
  }
  const auths = fieldsOf(root, "auths");
  if (auths.length === 0 || !auths.every(isTreeObject)) invalid("has no object auths.");
  return Object.assign(Object.create(null), ...auths);
}

/** Go matches names without regard to case, and null leaves a field as it is. */
function fieldsOf(object: JsonTreeObject, name: string): JsonTree[] {
  return Object.entries(object)
    .filter(([key, value]) => key.toUpperCase() === name.toUpperCase() && value !== null)
    .map(([, value]) => value);
}

const isText = (value: JsonTree): boolean => typeof value === "string" || value === null;

/** The last of several fields wins. */
function textOf(entry: JsonTreeObject, name: (typeof FIELDS)[number]): string {
  return String(fieldsOf(entry, name).at(-1) ?? "");
}

const FIELDS = ["username", "password", "email", "auth"] as const;

function faultOf(entry: JsonTree): string | undefined {
  if (entry === null) return undefined;
  if (!isTreeObject(entry)) return "which is not an object";
  const wrong = FIELDS.find((name) => !fieldsOf(entry, name).every(isText));
  if (wrong !== undefined) return `whose ${wrong} is not a string`;
  const auth = textOf(entry, "auth");
  return auth === "" || loginIn(auth) !== undefined
    ? undefined
    : "whose auth is not base64 of a user, a colon and a password";
}

function hasCredentials(entry: JsonTree): boolean {
  if (!isTreeObject(entry)) return false;
  const auth = textOf(entry, "auth");
  if (auth !== "") return loginIn(auth) !== ":";
  return textOf(entry, "username") !== "" || textOf(entry, "password") !== "";
}

/** Go's base64: line breaks are ignored, padding is needed if the text ends with it, and no other sign is skipped. */
function loginIn(auth: string): string | undefined {
  const packed = auth.replace(/[\r\n]/g, "");
  const isCoded = auth.trim().endsWith("=")
    ? packed.length % 4 === 0 && /^[A-Za-z0-9+/]*[A-Za-z0-9+/=]=$/.test(packed)
    : packed.length % 4 !== 1 && /^[A-Za-z0-9+/]*$/.test(packed);
  const login = Buffer.from(packed, "base64").toString("latin1");
  return isCoded && login.includes(":") ? login : undefined;
}
