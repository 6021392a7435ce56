import { describe, expect, it } from "vitest";
import { callWithinMemory } from "../hygiene/call-within-memory.ts";

const LOAD_BINDINGS = new URL("../../shared/bindings/load-bindings.ts", import.meta.url);
const loadWithin = (heapMB: number, text: string) =>
  callWithinMemory(heapMB, LOAD_BINDINGS, "loadBindings", text, "bindings.yaml");

describe("bindings.yaml", () => {
  // In brackets the measured minimum memory on Node 24.21: those run out of memory with half of this heap.
  const HEAP_MB = 256;

  it.each([
    ["a map a thousand deep", Array.from({ length: 1_000 }, (_, at) => `${" ".repeat(at)}a:`).join("\n")],
    ["a key of a megabyte", `${"x".repeat(1_048_576)}: 1`],
    ["one line of 5 MB (130 MB)", `a: "${"x".repeat(5_000_000)}"`],
    ["more than 32 MB", "#".repeat(34_000_000)],
    ["16 MB of brackets that close nothing", "}".repeat(16_000_000)],
    ["16 MB of list", "- x\n".repeat(4_000_000)],
    ["a hundred thousand documents", "---\n".repeat(100_000)],
    ["fifty thousand anchors", Array.from({ length: 50_000 }, (_, at) => `- &a${at} x`).join("\n")],
    ["fifty thousand tags", "- !!x y\n".repeat(50_000)],
    ["a hundred thousand times the same key", "a: 1\n".repeat(100_000)],
    ["150,000 aliases (130 MB)", `a: &a x\nb: [${"*a,".repeat(150_000)}]`],
    ["150,000 brackets (180 MB)", "}".repeat(150_000)],
    ["250,000 brackets that stay open (200 MB)", "[".repeat(250_000)],
    ["250,000 unknown escapes", `"${"\\x".repeat(250_000)}"`],
    ["megabytes of zeros", "\0".repeat(5_000_000)],
  ])("of %s is refused, in bounded time and memory", async (_what, text) => {
    expect(await loadWithin(HEAP_MB, text)).toEqual({ threw: "BINDINGS_INVALID" });
  });

  it("is measured with a heap that can run out", async () => {
    expect(await loadWithin(64, "- x\n".repeat(300_000))).toBe("out of memory");
  });
});
