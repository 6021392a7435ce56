/** Whether a URL goes through the proxy of HTTPS_PROXY, by NO_PROXY. */
export type ProxyRule = {
  readonly noProxy: string;
  readonly url: string;
  readonly isProxied: boolean;
};

const rule = (noProxy: string, url: string, isProxied: boolean): ProxyRule => ({ noProxy, url, isProxied });

export const PROXY_RULES: readonly ProxyRule[] = [
  rule("", "https://api.prod.example", true),
  rule("*", "https://api.prod.example", false),
  rule("x.example,*", "https://api.prod.example", false),
  rule("api.prod.example", "https://api.prod.example", false),
  rule("API.Prod.Example", "https://api.prod.example", false),
  rule("prod.example", "https://api.prod.example", false),
  rule("prod.example", "https://prod.example", false),
  rule("prod.example", "https://notprod.example", true),
  rule(".prod.example", "https://api.prod.example", false),
  rule(".prod.example", "https://prod.example", true),
  rule(".prod.example", "https://notprod.example", true),
  rule("*.prod.example", "https://api.prod.example", false),
  rule("*.prod.example", "https://prod.example", true),
  rule("*prod.example", "https://prod.example", true),
  rule("other.example, prod.example ,", "https://api.prod.example", false),
  rule("prod.example:6443", "https://api.prod.example:6443", false),
  rule("prod.example:443", "https://api.prod.example", false),
  rule("prod.example:6443", "https://api.prod.example", true),
  rule("192.0.2.7", "https://192.0.2.7", false),
  rule("192.0.2.7", "https://192.0.2.8", true),
  rule("192.0.2.7:6443", "https://192.0.2.7:6443", false),
  rule("192.0.2.7:6443", "https://192.0.2.7", true),
  rule("192.0.2.0/24", "https://192.0.2.200", false),
  rule("192.0.2.0/25", "https://192.0.2.200", true),
  rule("192.0.2.0/33", "https://192.0.2.200", true),
  rule("2.0/24", "https://192.0.2.200", true),
  rule("0.0.0.0/0", "https://192.0.2.200", false),
  rule("0.0.0.0/0", "https://api.prod.example", true),
  rule("2001:db8::/32", "https://[2001:db8::7]", false),
  rule("2001:db8::/32", "https://[2001:db9::7]", true),
  rule("2001:db8::7", "https://[2001:db8:0::7]", false),
  rule("[2001:db8::7]:6443", "https://[2001:db8::7]:6443", false),
  rule("[2001:db8::7]:6443", "https://[2001:db8::7]", true),
  rule(".2.7", "https://192.0.2.7", true),
];
