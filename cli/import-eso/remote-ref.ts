import type { FieldReader } from "./fields.ts";

export type Encoding = "base64" | "base64url";

/** `remoteRef` of an entry in data, or `extract` of one in dataFrom. */
export type RemoteRef = {
  readonly key: string;
  readonly property?: string | undefined;
  readonly stage?: string;
  readonly versionId?: string;
  readonly decode?: Encoding | undefined;
};

export function readRemoteRef(reference: FieldReader): RemoteRef {
  const key = reference.string("key") ?? "";
  if (key === "") reference.refuse("FIELD_MALFORMED", "the name of the secret is missing", "key");
  const property = reference.string("property") || undefined;
  const version = reference.string("version") ?? "";
  if ((reference.string("metadataPolicy") ?? "None") !== "None") {
    reference.refuse("METADATA_POLICY", "the relay does not read tags", "metadataPolicy");
  }
  const nullBytes = reference.string("nullBytePolicy") ?? "Ignore";
  if (nullBytes !== "Ignore") {
    const reason = `with ${nullBytes} the operator writes no value that has a null byte, and the relay writes every value. Remove the field if no value has one`;
    reference.refuse("NULL_BYTE_POLICY", reason, "nullBytePolicy");
  }
  const conversion = reference.string("conversionStrategy") ?? "Default";
  // The operator converts the keys of an extract, but not a single key in data.
  if (conversion !== "Default" && conversion !== "None" && reference.path.endsWith(".extract")) {
    const reason = `${conversion} writes illegal characters of keys as numbers`;
    reference.refuse("CONVERSION_STRATEGY", reason, "conversionStrategy");
  }
  const decode = readEncoding(reference);
  reference.end();
  return { key, property, decode, ...versionOf(version) };
}

function versionOf(version: string): Pick<RemoteRef, "stage" | "versionId"> {
  if (version === "" || version === "AWSCURRENT") return {};
  return version.startsWith("uuid/") ? { versionId: version.slice("uuid/".length) } : { stage: version };
}

function readEncoding(reference: FieldReader): Encoding | undefined {
  const strategy = reference.string("decodingStrategy") ?? "None";
  if (strategy === "Base64") return "base64";
  if (strategy === "Base64URL") return "base64url";
  if (strategy !== "None") {
    const reason = `with ${strategy} the operator guesses the encoding of a value, and the relay does not`;
    reference.refuse("DECODING_STRATEGY", reason, "decodingStrategy");
  }
  return undefined;
}
