import { RelayNameDiffers } from "../bindings/published/errors.ts";
import { publishedRules } from "../bindings/published/published-rules.ts";
import { type ObjectReaderOptions, readObjectWith } from "../bindings/published/read-object.ts";
import { type RulesSource, rulesOfFile } from "../bindings/published/rules.ts";
import { readCompiledBindings } from "../bindings/read-compiled-bindings.ts";
import type { BindingsConfig } from "./relay-config.ts";

type Options = Pick<ObjectReaderOptions, "credentials" | "now" | "wait"> & {
  /** By default, the Region of the function. */
  readonly region?: string;
  /** If given, a local file must be for this relay. */
  readonly relayName?: string;
};

/** The rules of a function: of its local file, or of the bucket. */
export async function openRules(
  { bindingsFile, bindingsBucket }: BindingsConfig,
  { relayName, region = process.env.AWS_REGION ?? "", ...options }: Options,
): Promise<RulesSource> {
  if (bindingsFile !== undefined) {
    const compiled = await readCompiledBindings(bindingsFile);
    if (relayName !== undefined && compiled.relay !== relayName) {
      throw new RelayNameDiffers(compiled.relay, relayName);
    }
    return rulesOfFile(compiled);
  }
  const readObject = readObjectWith({ region, ...options });
  return publishedRules(async (request, budget) => {
    const read = await readObject({ ...request, bucket: bindingsBucket }, budget);
    return read.kind === "object" ? { ...read, body: Buffer.from(read.body).toString() } : read;
  });
}
