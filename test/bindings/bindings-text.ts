import { BindingsError } from "../../shared/bindings/bindings-error.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";

/** A complete file: the header and one cluster, then the bindings of a test. */
export const withBindings = (bindings: string): string =>
  `version: 1\nclusters:\n  prod: { name: prod-eks, region: eu-west-1 }\nbindings:\n${bindings}`;

export type ExpectedProblem = { readonly says: string; readonly fix: string; readonly path?: string };

/** The problems that loading reports; an empty list if the file loads. */
export function problemsOf(text: string): BindingsError["problems"] {
  try {
    loadBindings(text, "bindings.yaml");
    return [];
  } catch (error) {
    if (error instanceof BindingsError) return error.problems;
    throw error;
  }
}

/** Removes each ▶ from a text and returns its location, so that a table shows places instead of numbers. */
export function unmarked(marked: string): { text: string; places: { line: number; column: number }[] } {
  const places = marked.split("\n").flatMap((line, index) => {
    const parts = line.split("▶").slice(0, -1);
    let column = 1;
    return parts.map((part) => {
      column += part.length;
      return { line: index + 1, column };
    });
  });
  return { text: marked.replaceAll("▶", ""), places };
}

/** A self-signed CA certificate, valid until 2125; its key was thrown away. */
export const CERTIFICATE_PEM = `-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUGxZ7vSrs0CCjt/R5XeFIJL9CuYkwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjQwMjIyMjBaGA8yMTI2MTAz
MTAyMjIyMFowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABHTeDAHlO9Edm5vwsep9RFqb+AGH1uO/dV6mU3ZoBI3tjf16uakI
INCy52m0CElbd+lqoteb8uNncClPvzrJXZ6jUzBRMB0GA1UdDgQWBBQZenEkhUT5
c6PrnMedV8dQvHkv7TAfBgNVHSMEGDAWgBQZenEkhUT5c6PrnMedV8dQvHkv7TAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIF4JRazR8TCRsOeXmw2d
uTxbeGaVWBknJO9Z61vy83fCAiEA7NNkjIYZ6l2Asm+FVpvKzCCcIn/sDL0+GBqg
f93wvXU=
-----END CERTIFICATE-----
`;

export const base64 = (text: string): string => Buffer.from(text).toString("base64");
