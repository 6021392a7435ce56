/** False for most functions, which then load nothing for proxies. */
export const mayHaveProxy = ({
  HTTPS_PROXY,
  https_proxy,
  HTTP_PROXY,
  http_proxy,
}: NodeJS.ProcessEnv): boolean => Boolean(HTTPS_PROXY || https_proxy || HTTP_PROXY || http_proxy);
