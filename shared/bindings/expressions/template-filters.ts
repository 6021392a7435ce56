import { decodeBase64, type Encoding } from "./decode-base64.ts";
import { FilterRefused, textOf } from "./filter-refused.ts";
import { type JsonTree, jsonTextOf } from "./json-tree.ts";
import { isPem, orderChain, type PemBlock, type PemFault, readPem, wrapPem } from "./pem.ts";
import { TEXT_FILTERS } from "./text-filters.ts";

/** The arguments after the value before the bar; named ones are pairs. */
type FilterArguments = readonly unknown[];

/** Filters that the relay adds to LiquidJS or replaces. */
export const TEMPLATE_FILTERS: Readonly<Record<string, (value: unknown, ...rest: unknown[]) => unknown>> = {
  ...TEXT_FILTERS,
  // LiquidJS's own filter writes a space as `+`, which is valid only in a query string.
  url_encode: (value) => percentEncode(textOf(value)),
  base64_encode: (value) => Buffer.from(textOf(value)).toString("base64"),
  base64url_encode: (value) => Buffer.from(textOf(value)).toString("base64url"),
  base64_decode: (value) => decodedText(value, "base64", "base64_decode"),
  base64url_decode: (value) => decodedText(value, "base64url", "base64url_decode"),
  json: (value) => jsonTextOf((value ?? null) as JsonTree),
  // A JSON string is also a valid double-quoted YAML string.
  yaml_quote: (value) => JSON.stringify(textOf(value)),
  shell_quote: (value) => `'${textOf(value).replaceAll("'", "'\\''")}'`,
  properties_escape: (value) => propertiesEscape(textOf(value)),
  connection_url: (scheme, ...rest) => connectionUrl(textOf(scheme), rest),
  docker_config: (registry, ...rest) => dockerConfig(textOf(registry), rest),
  pem_split: (value) => blocksOf(value, "pem_split").map(({ text }) => text),
  pem_join: (value) =>
    (Array.isArray(value) ? value : [value])
      .flatMap((item) => blocksOf(item, "pem_join"))
      .map(({ text }) => text)
      .join(""),
  pem_wrap: (value) =>
    blocksOf(value, "pem_wrap", wrapPem)
      .map(({ text }) => text)
      .join(""),
  pem_certificates: (value) => pick(value, "pem_certificates", (label) => label === "CERTIFICATE"),
  pem_key: (value) => pick(value, "pem_key", (label) => label.endsWith("PRIVATE KEY")),
  pem_leaf: (value) => chainOf(value, "pem_leaf").leaf.text,
  pem_chain: (value) =>
    chainOf(value, "pem_chain")
      .chain.map(({ text }) => text)
      .join(""),
};

/** RFC 3986: encodes everything except unreserved characters. */
function percentEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decodedText(value: unknown, encoding: Encoding, filter: string): string {
  const bytes = decodeBase64(textOf(value), encoding);
  if (bytes === undefined) throw new FilterRefused(`${filter} got a value that is not ${encoding}`);
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes)) {
    throw new FilterRefused(`${filter} gives bytes that are not UTF-8; use decode on the key instead`);
  }
  return text;
}

/** Escapes a value for java.util.Properties. */
function propertiesEscape(text: string): string {
  return text
    .replace(/[\\=:#!]/g, "\\$&")
    .replace(/^ /, "\\ ")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
}

/** `{{ "postgresql" | connection_url: user: u, password: p, host: h, port: 5432, path: db, sslmode: "require" }}` */
function connectionUrl(scheme: string, rest: FilterArguments): string {
  if (!/^[a-z][a-z0-9+.-]*$/i.test(scheme))
    throw new FilterRefused("connection_url needs a scheme before it");
  const { user, password, host, port, path, ...query } = namedOf(rest, "connection_url");
  if (host === undefined || host === "") throw new FilterRefused("connection_url needs a host");
  if (!/^(\[[0-9a-f:.]+\]|[0-9a-f:.]+|[a-z0-9._-]+)$/i.test(host)) {
    throw new FilterRefused("connection_url got a host that is not a host name or an address");
  }
  if (port !== undefined && !/^[0-9]{1,5}$/.test(port)) {
    throw new FilterRefused("connection_url got a port that is not a number");
  }
  const isBareV6 = host.includes(":") && !host.startsWith("[");
  const login =
    user === undefined && password === undefined
      ? ""
      : `${percentEncode(user ?? "")}${password === undefined ? "" : `:${percentEncode(password)}`}@`;
  const authority = `${isBareV6 ? `[${host}]` : host}${port === undefined ? "" : `:${port}`}`;
  const pathname =
    path === undefined ? "" : `/${path.replace(/^\//, "").split("/").map(percentEncode).join("/")}`;
  const search = Object.entries(query).map(
    ([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`,
  );
  return `${scheme}://${login}${authority}${pathname}${search.length > 0 ? `?${search.join("&")}` : ""}`;
}

/** `{{ "registry.example.com" | docker_config: username: u, password: p }}` */
function dockerConfig(registry: string, rest: FilterArguments): string {
  const { username, password, email, ...unknown } = namedOf(rest, "docker_config");
  if (registry === "" || !username || !password || Object.keys(unknown).length > 0) {
    throw new FilterRefused(
      "docker_config needs a registry before it, username and password, and takes email",
    );
  }
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return JSON.stringify({
    auths: Object.fromEntries([[registry, { username, password, ...(email && { email }), auth }]]),
  });
}

function namedOf(rest: FilterArguments, filter: string): Record<string, string> {
  return Object.fromEntries(
    rest.map((argument): [string, string] => {
      if (!Array.isArray(argument) || argument.length !== 2 || typeof argument[0] !== "string") {
        throw new FilterRefused(`${filter} takes only named arguments, such as user: name`);
      }
      return [argument[0], textOf(argument[1])];
    }),
  );
}

function blocksOf(value: unknown, filter: string, read = readPem): readonly PemBlock[] {
  const pem = read(textOf(value));
  if (isPem(pem)) return pem.blocks;
  throw new FilterRefused(`${filter} got ${whyNoPem(pem)}`);
}

function whyNoPem(fault: PemFault): string {
  if (typeof fault === "object") {
    const decode = Array.from({ length: fault.encoded }, () => "base64_decode").join(" | ");
    return `the base64 of PEM; put ${decode} before it`;
  }
  return WHY_NO_PEM[fault];
}

const WHY_NO_PEM = {
  absent: "a value that is not PEM",
  open: "PEM with a block that is not closed",
  "lost-breaks": "PEM that has lost its line breaks; put pem_wrap before it",
  damaged: "PEM with a damaged block",
} as const;

function pick(value: unknown, filter: string, isWanted: (label: string) => boolean): string {
  const picked = blocksOf(value, filter).filter(({ label }) => isWanted(label));
  if (picked.length === 0) throw new FilterRefused(`${filter} found no such block in the PEM`);
  return picked.map(({ text }) => text).join("");
}

function chainOf(value: unknown, filter: string): { leaf: PemBlock; chain: PemBlock[] } {
  const ordered = orderChain(blocksOf(value, filter));
  if (ordered === undefined) {
    throw new FilterRefused(`${filter} needs certificates with exactly one leaf, which issued no other`);
  }
  return ordered;
}
