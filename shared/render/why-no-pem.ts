import type { PemFault } from "../bindings/expressions/pem.ts";

/** What is wrong with the text under a key, and what to do; quotes nothing of it. */
export function whyNoPem(key: string, fault: PemFault): string {
  if (typeof fault === "object") {
    const filters = Array.from({ length: fault.encoded }, () => "base64_decode").join(" | ");
    return `is the base64 of PEM. Decode it in the binding, in keys: ${templateOf(key, filters)}`;
  }
  if (fault === "lost-breaks") {
    return `is PEM that has lost its line breaks. Wrap it in the binding, in keys: ${templateOf(key, "pem_wrap")}`;
  }
  return `${WHY[fault]}. Correct it in the source.`;
}

const WHY = {
  absent: "is not PEM",
  open: "has a PEM block that is not closed",
  damaged: "has a damaged PEM block",
} as const;

/** For a source that holds it under the same name. */
const templateOf = (key: string, filters: string): string =>
  `${key}: { template: '{{ ["${key}"] | ${filters} }}' }`;
