import type { Decoding } from "../../shared/bindings/binding.ts";
import type { FieldReader } from "./fields.ts";

/** `remoteRef` of an entry in data, or `extract` of one in dataFrom. */
export type RemoteRef = {
  readonly key: string;
  readonly property?: string | undefined;
  readonly stage?: string;
  readonly versionId?: string;
  readonly decode?: Decoding | undefined;
};

export function readRemoteRef(reference: FieldReader): RemoteRef {
  const key = reference.string("key") ?? "";
  if (key === "") reference.refuse("FIELD_MALFORMED", "the name of the secret is missing", "key");
  const property = reference.string("property") || undefined;
  const version = readVersion(reference);
  if ((reference.string("metadataPolicy") ?? "None") !== "None") {
    reference.refuse(
      "METADATA_POLICY",
      "the relay does not read tags. Put what the tags say into the value of the secret",
      "metadataPolicy",
    );
  }
  checkNullBytes(reference);
  // The operator converts only illegal characters in the keys of an extract, and the relay refuses a Secret with these.
  reference.string("conversionStrategy");
  const decode = readDecoding(reference);
  reference.end();
  return { key, property, decode, ...version };
}

/** A version without `uuid/` is a staging label to the operator. */
function readVersion(reference: FieldReader): Pick<RemoteRef, "stage" | "versionId"> {
  const version = reference.string("version") ?? "";
  if (version === "" || version === "AWSCURRENT") return {};
  if (UUID.test(version)) {
    const reason = `the operator reads ${version} as a staging label. For the version with this id, write uuid/${version}`;
    reference.refuse("VERSION", reason, "version");
  }
  if (version.startsWith("uuid/")) {
    const versionId = version.slice("uuid/".length);
    if (!VERSION_ID.test(versionId)) {
      const reason = `${JSON.stringify(versionId)} is not an id. Write it like uuid/7a1ecea1-3fd5-4a15-8d32-5325d48b7e21`;
      reference.refuse("VERSION", reason, "version");
    }
    return { versionId };
  }
  if (/\s/.test(version)) {
    const reason = `${JSON.stringify(version)} is not a staging label, which has no spaces. Write it like AWSPREVIOUS`;
    reference.refuse("VERSION", reason, "version");
  }
  return { stage: version };
}

const VERSION_ID = /^[A-Za-z0-9-]{32,64}$/;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Of a remoteRef, an extract or a find. */
export function checkNullBytes(reference: FieldReader): void {
  const policy = reference.string("nullBytePolicy") ?? "Ignore";
  if (policy === "Ignore") return;
  const reason = `with ${policy} the operator writes no value that has a null byte, and the relay writes every value. Remove the field if no value has one`;
  reference.refuse("NULL_BYTE_POLICY", reason, "nullBytePolicy");
}

/** Of a remoteRef, an extract or a find. */
export function readDecoding(reference: FieldReader): Decoding | undefined {
  const strategy = reference.string("decodingStrategy") ?? "None";
  if (strategy === "Base64") return "base64";
  if (strategy === "Base64URL") return "base64url";
  if (strategy === "Auto") return "auto";
  if (strategy !== "None") {
    reference.refuse("FIELD_MALFORMED", "it must be None, Base64, Base64URL or Auto", "decodingStrategy");
  }
  return undefined;
}
