/**
 * Stands in for undici in the bundles: client-node's own transport imports it, and is never used here. Should anything
 * reach it all the same, it fails instead of sending a token over a transport that nobody checked.
 */
export function fetch(): never {
  throw new TypeError("undici is not part of this bundle; requests go through https-transport.ts");
}
