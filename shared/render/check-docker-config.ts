import {
  isTreeObject,
  type JsonTree,
  type JsonTreeObject,
  parseJsonTree,
} from "../bindings/expressions/json-tree.ts";
import { quoteName } from "../bindings/quote-name.ts";
import type { Refuse } from "./check-type.ts";
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
  const headers = fieldOf(root, "HttpHeaders");
  if (headers !== null && !(isTreeObject(headers) && Object.values(headers).every(isTextOrNull))) {
    invalid("has HttpHeaders that are not an object of strings, and kubelet refuses all of it.");
  }
  const auths = fieldOf(root, "auths");
  return isTreeObject(auths) ? auths : invalid("has no object auths.");
}

/** Go matches names without regard to case, and the last one wins. */
function fieldOf(object: JsonTreeObject, name: string): JsonTree {
  const found = Object.entries(object).filter(([key]) => key.toUpperCase() === name.toUpperCase());
  return found.at(-1)?.[1] ?? null;
}

const isTextOrNull = (value: JsonTree): value is string | null => typeof value === "string" || value === null;

function faultOf(entry: JsonTree): string | undefined {
  if (entry === null) return undefined;
  if (!isTreeObject(entry)) return "which is not an object";
  const wrong = FIELDS.find((name) => !isTextOrNull(fieldOf(entry, name)));
  if (wrong !== undefined) return `whose ${wrong} is not a string`;
  const auth = fieldOf(entry, "auth") || undefined;
  return auth === undefined || loginIn(auth as string) !== undefined
    ? undefined
    : "whose auth is not base64 of a user, a colon and a password";
}

const FIELDS = ["username", "password", "email", "auth"] as const;

function hasCredentials(entry: JsonTree): boolean {
  if (!isTreeObject(entry)) return false;
  const auth = fieldOf(entry, "auth");
  if (typeof auth === "string" && auth !== "") return loginIn(auth) !== ":";
  return Boolean(fieldOf(entry, "username")) || Boolean(fieldOf(entry, "password"));
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
