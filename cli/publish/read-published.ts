import pMap from "p-map";
import type { Binding, CompiledBindings } from "../../shared/bindings/binding.ts";
import { parsePart } from "../../shared/bindings/published/part.ts";
import { BindingsDamaged, keyOfPart, type Pointer } from "../../shared/bindings/published/pointer.ts";
import type { BindingsBucket } from "./bindings-bucket.ts";

/** All bindings of a generation, or those of the parts that `isWanted` selects by their hash. */
export async function readPublished(
  bucket: Pick<BindingsBucket, "readPart">,
  { relay, clusters, parts }: Pointer,
  isWanted: (hash: string) => boolean = () => true,
): Promise<CompiledBindings> {
  const byTarget = new Map<string, Binding>();
  const hashes = parts.filter((hash) => hash !== "" && isWanted(hash));
  await pMap(
    hashes,
    async (hash) => {
      const text = await bucket.readPart(hash);
      if (text === undefined) throw new BindingsDamaged(keyOfPart(hash), "is missing");
      for (const binding of parsePart(text, hash, clusters)) {
        const { cluster, namespace, name } = binding.target;
        byTarget.set(`${cluster}/${namespace}/${name}`, binding);
      }
    },
    { concurrency: READS_AT_ONCE },
  );
  return { version: 1, relay, clusters, bindings: [...byTarget.values()] };
}

const READS_AT_ONCE = 16;
