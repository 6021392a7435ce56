import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findProxy, ProxyUnusable } from "../../shared/runtime/find-proxy.ts";
import { PROXY_RULES } from "../harness/proxy-rules.ts";

const PROXY = "http://proxy.example.com:3128/";

describe("NO_PROXY", () => {
  it.each(PROXY_RULES)(
    "'$noProxy' lets $url go through the proxy: $isProxied",
    ({ noProxy, url, isProxied }) => {
      const env = { HTTPS_PROXY: PROXY, NO_PROXY: noProxy };
      expect(findProxy(url, env)).toBe(isProxied ? PROXY : undefined);
      expect(findProxy(url, { https_proxy: PROXY, no_proxy: noProxy })).toBe(isProxied ? PROXY : undefined);
    },
  );

  it.each(["https://localhost", "https://127.0.0.1:6443", "https://127.9.9.9", "https://[::1]:6443"])(
    "needs no entry for this machine: %s",
    (url) => expect(findProxy(url, { HTTPS_PROXY: PROXY })).toBeUndefined(),
  );

  it("never fails, and an entry that names a host exactly always excludes it", () => {
    const host = fc.domain();
    fc.assert(
      fc.property(host, fc.string(), fc.string(), (name, before, after) => {
        const env = { HTTPS_PROXY: PROXY, NO_PROXY: `${before},${name},${after}` };
        expect(findProxy(`https://${name}`, env)).toBeUndefined();
      }),
    );
  });
});

describe("the proxy", () => {
  it.each([
    { it: "HTTPS_PROXY for https", url: "https://a.example", env: { HTTPS_PROXY: PROXY }, want: PROXY },
    { it: "HTTP_PROXY for http", url: "http://a.example", env: { HTTP_PROXY: PROXY }, want: PROXY },
    { it: "no HTTP_PROXY for https", url: "https://a.example", env: { HTTP_PROXY: PROXY }, want: undefined },
    { it: "lower case", url: "https://a.example", env: { https_proxy: PROXY }, want: PROXY },
    {
      it: "upper case before lower case",
      url: "https://a.example",
      env: { HTTPS_PROXY: PROXY, https_proxy: "http://b.example" },
      want: PROXY,
    },
    { it: "an empty variable as none", url: "https://a.example", env: { HTTPS_PROXY: "" }, want: undefined },
    {
      it: "a host without a scheme",
      url: "https://a.example",
      env: { HTTPS_PROXY: "proxy.example.com:3128" },
      want: PROXY,
    },
    {
      it: "a proxy over TLS",
      url: "https://a.example",
      env: { HTTPS_PROXY: "https://proxy.example.com" },
      want: "https://proxy.example.com/",
    },
  ])("is $it", ({ url, env, want }) => expect(findProxy(url, env)).toBe(want));

  it.each(["socks5://proxy.example.com", "ftp://proxy.example.com", "http://", "http://a b"])(
    "that cannot be used is an error, not a direct connection: %s",
    (proxy) => expect(() => findProxy("https://a.example", { HTTPS_PROXY: proxy })).toThrow(ProxyUnusable),
  );

  it("is not repeated in the error, because it can hold a password", () => {
    const env = { HTTPS_PROXY: "socks5://me:hunter2@proxy.example.com" };
    expect(() => findProxy("https://a.example", env)).toThrow(/^HTTPS_PROXY is not(?!.*hunter2)/);
  });
});
