/**
 * Replaces undici in the bundles. Only client-node's own transport imports it, which the relay does not use; a call
 * fails, so that no token is sent over an untested transport.
 */
export function fetch(): never {
  throw new TypeError("undici is not part of this bundle; requests go through https-transport.ts");
}
