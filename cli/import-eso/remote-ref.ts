import type { FieldReader } from "./fields.ts";

export type Encoding = "base64" | "base64url";

/** `remoteRef` of an entry in data, or `extract` of one in dataFrom. */
export type RemoteRef = {
  readonly key: string;
  readonly property?: string;
  readonly stage?: string;
  readonly versionId?: string;
  readonly decode?: Encoding;
};

export function readRemoteRef(reference: FieldReader): RemoteRef {
  const key = reference.text("key") ?? "";
  if (key === "") reference.object("FIELD_MALFORMED", "it names no secret", "key");
  const property = reference.text("property");
  const version = reference.text("version") ?? "";
  if ((reference.text("metadataPolicy") ?? "None") !== "None") {
    reference.object(
      "METADATA_POLICY",
      "it reads the tags of the secret, and the relay its value",
      "metadataPolicy",
    );
  }
  const conversion = reference.text("conversionStrategy") ?? "Default";
  if (conversion !== "Default" && conversion !== "None") {
    // Of one key in data nothing is converted; of an extract it would be.
    if (reference.path.endsWith(".extract")) {
      reference.object(
        "CONVERSION_STRATEGY",
        `${conversion} spells illegal characters of keys as numbers`,
        "conversionStrategy",
      );
    }
  }
  const decode = readEncoding(reference);
  reference.end();
  return {
    key,
    ...(property !== undefined && property !== "" && { property }),
    ...versionOf(version),
    ...(decode !== undefined && { decode }),
  };
}

function versionOf(version: string): Pick<RemoteRef, "stage" | "versionId"> {
  if (version === "" || version === "AWSCURRENT") return {};
  return version.startsWith("uuid/") ? { versionId: version.slice("uuid/".length) } : { stage: version };
}

function readEncoding(reference: FieldReader): Encoding | undefined {
  const strategy = reference.text("decodingStrategy") ?? "None";
  if (strategy === "Base64") return "base64";
  if (strategy === "Base64URL") return "base64url";
  if (strategy !== "None") {
    reference.object(
      "DECODING_STRATEGY",
      `${strategy} guesses from the value whether it is encoded, and the relay does not`,
      "decodingStrategy",
    );
  }
  return undefined;
}
