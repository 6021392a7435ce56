import { awsDnsSuffix } from "../../runtime/aws-dns-suffix.ts";
import { ConfigurationError } from "../../runtime/read-environment.ts";

/** Where S3 serves an object; the path is encoded as S3 signs it. */
export type ObjectUrl = {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
};

export type ObjectUrlOf = (object: { readonly bucket: string; readonly key: string }) => ObjectUrl;

/**
 * The URLs that the AWS SDK would use with the same environment variables.
 *
 * A configured endpoint gets the bucket in the path, because a sandbox or a VPC endpoint may have no name for each bucket.
 */
export function objectUrlsIn(region: string, env: NodeJS.ProcessEnv): ObjectUrlOf {
  const configured =
    env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === "true"
      ? undefined
      : env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  if (configured !== undefined && configured !== "") return inPath(configured);

  const fips = env.AWS_USE_FIPS_ENDPOINT === "true" ? "-fips" : "";
  const dualStack = env.AWS_USE_DUALSTACK_ENDPOINT === "true" ? ".dualstack" : "";
  const host = `s3${fips}${dualStack}.${region}.${awsDnsSuffix(region)}`;
  return ({ bucket, key }) =>
    HOST_LABEL.test(bucket)
      ? { protocol: "https:", hostname: `${bucket}.${host}`, path: encodePath(key) }
      : { protocol: "https:", hostname: host, path: encodePath(`${bucket}/${key}`) };
}

/** AWS's certificate is valid for one label before the host, so a bucket with a dot in its name goes into the path. */
const HOST_LABEL = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

function inPath(endpoint: string): ObjectUrlOf {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigurationError(["AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL must be an HTTP or HTTPS URL"]);
  }
  const { protocol, hostname, port, pathname } = url;
  const at = { protocol, hostname, ...(port !== "" && { port: Number(port) }) };
  return ({ bucket, key }) => ({
    ...at,
    path: pathname.replace(/\/$/, "") + encodePath(`${bucket}/${key}`),
  });
}

/** RFC 3986: S3 also encodes what encodeURIComponent leaves, and no slash. */
function encodePath(path: string): string {
  const encoded = encodeURIComponent(path).replaceAll("%2F", "/");
  return `/${encoded.replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}
