import { BlockList, isIP } from "node:net";
import { RelayError } from "../relay-error.ts";

/**
 * The proxy for a URL, by HTTPS_PROXY, HTTP_PROXY and NO_PROXY. The rules are those of kubectl (Go), because
 * Node's own ignore CIDR ranges and do not let `example.com` match its subdomains. Throws ProxyUnusable. Pure.
 */
export function findProxy(target: string, env: NodeJS.ProcessEnv): string | undefined {
  const { protocol, hostname, port } = new URL(target);
  const variable = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = env[variable] || env[variable.toLowerCase()];
  if (!proxy) return undefined;
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const excluded = `localhost,127.0.0.0/8,::1,${env.NO_PROXY || env.no_proxy || ""}`;
  const address = { host, port: port || (protocol === "https:" ? "443" : "80") };
  if (excluded.split(",").some((entry) => matches(entry.trim().toLowerCase(), address))) return undefined;
  return parseProxyUrl(proxy, variable);
}

/** Node's agent ignores a proxy of another protocol, and would connect directly. */
export function parseProxyUrl(proxy: string, setting: string): string {
  const url = proxy.includes("://") ? proxy : `http://${proxy}`;
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) throw new ProxyUnusable(setting);
  return new URL(url).href;
}

type Address = { readonly host: string; readonly port: string };

function matches(entry: string, { host, port }: Address): boolean {
  if (entry === "*") return true;
  const family = isIP(host);
  const [, range = "", bits] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (bits !== undefined) return family !== 0 && isInRange(host, range, Number(bits));
  const [, name = "", entryPort] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (name === "" || (entryPort !== undefined && entryPort !== port)) return false;
  const bare = name.replace(/^\[|\]$/g, "");
  if (family !== 0) return isIP(bare) === family && isInRange(host, bare, family === 4 ? 32 : 128);
  const suffix = bare.replace(/^\*(?=\.)/, "");
  return suffix.startsWith(".") ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

function isInRange(host: string, range: string, bits: number): boolean {
  const family = isIP(range);
  if (family === 0 || bits > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(range, bits, type);
  return isIP(host) === family && list.check(host, type);
}

/** The value can hold a password, so it is not repeated. */
export class ProxyUnusable extends RelayError {
  override readonly name = "ProxyUnusable";
  readonly code = "PROXY_UNUSABLE";
  readonly retryable = false;
  constructor(setting: string) {
    super(
      `${setting} is not the URL of an HTTP proxy, such as http://proxy.example.com:3128. Correct it; socks5 is not supported.`,
    );
  }
}
