import { invalidParameter, validation } from "../aws-error.ts";
import { type Input, text } from "../call.ts";
import type { StoredValue } from "./secret.ts";

export const LABELS_MAX = 20;

export function parseName(name: string): string {
  if (/^[A-Za-z0-9/_+=.@!-]{1,512}$/.test(name)) return name;
  throw validation(
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
  );
}

const VALUE_BYTES_MAX = 65_536;

export function parseValue(input: Input): StoredValue | undefined {
  const plain = text(input, "SecretString");
  const base64 = text(input, "SecretBinary");
  if (plain !== undefined && base64 !== undefined) {
    throw invalidParameter(
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  }
  if (plain !== undefined) {
    checkSize("secretString", Buffer.byteLength(plain));
    return { kind: "text", text: plain };
  }
  if (base64 === undefined) return undefined;
  checkSize("secretBinary", Buffer.from(base64, "base64").byteLength);
  return { kind: "binary", base64 };
}

function checkSize(member: string, bytes: number): void {
  if (bytes >= 1 && bytes <= VALUE_BYTES_MAX) return;
  const rule = bytes < 1 ? "greater than or equal to 1" : `less than or equal to ${VALUE_BYTES_MAX}`;
  throw validation(
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length ${rule}`,
  );
}

/** Becomes the VersionId; the SDKs always send one. */
export function parseToken(input: Input, isNeeded: boolean): string {
  const token = text(input, "ClientRequestToken");
  if (token === undefined && !isNeeded) return "";
  if (token === undefined) {
    throw invalidParameter("You must provide a ClientRequestToken value. We recommend a UUID-type value.");
  }
  if (token.length >= 32 && token.length <= 64) return token;
  throw invalidParameter("ClientRequestToken must be 32-64 characters long.");
}

export function parseLabels(labels: readonly string[] | undefined): readonly string[] {
  if (labels === undefined) return ["AWSCURRENT"];
  if (labels.length >= 1 && labels.length <= LABELS_MAX && labels.every(isLabel)) return [...new Set(labels)];
  throw validation(
    "1 validation error detected: Value at 'versionStages' failed to satisfy constraint: Member must have 1 to 20 labels of 1 to 256 characters",
  );
}

function isLabel(label: unknown): boolean {
  return typeof label === "string" && label.length >= 1 && label.length <= 256;
}
