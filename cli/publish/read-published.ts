import pMap from "p-map";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { mergeParts, parsePart } from "../../shared/bindings/published/part.ts";
import { BindingsDamaged, keyOfPart, type Pointer } from "../../shared/bindings/published/pointer.ts";
import type { BindingsBucket } from "./bindings-bucket.ts";

/** All bindings of a generation, or those of the parts that `isWanted` selects by their hash. */
export async function readPublished(
  bucket: Pick<BindingsBucket, "readPart">,
  { relay, clusters, parts }: Pointer,
  isWanted: (hash: string) => boolean = () => true,
): Promise<CompiledBindings> {
  const hashes = parts.filter((hash) => hash !== "" && isWanted(hash));
  const read = await pMap(
    hashes,
    async (hash) => {
      const text = await bucket.readPart(hash);
      if (text === undefined) throw new BindingsDamaged(keyOfPart(hash), "is missing");
      return parsePart(text, hash, clusters);
    },
    { concurrency: READS_AT_ONCE },
  );
  return { version: 1, relay, clusters, bindings: mergeParts(read) };
}

const READS_AT_ONCE = 16;
