// Loaded before Lambda's runtime client (NODE_OPTIONS=--import): notes when the function's stages begin and end, and tells
// them to the bench when it asks. The function itself is not changed. Times are ms of the epoch.
import crypto from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import { registerHooks, syncBuiltinESMExports } from "node:module";
import { TLSSocket } from "node:tls";

const now = () => performance.timeOrigin + performance.now();
const marks = {};
const first = (name) => {
  marks[name] ??= now();
};

registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context);
    if (found.url.endsWith("/handler.mjs")) first("importAt");
    return found;
  },
});

// The SDK's first way to credentials, and the one that a function has.
process.env = new Proxy(process.env, {
  get: (env, name) => {
    if (name === "AWS_ACCESS_KEY_ID" && marks.importAt !== undefined) first("credentialsAt");
    return env[name];
  },
  set: (env, name, value) => {
    env[name] = value;
    return true;
  },
});

const { createHmac } = crypto;
crypto.createHmac = (...args) => {
  first("signAt");
  return createHmac(...args);
};
syncBuiltinESMExports();

const calls = [];
subscribe("http.client.request.created", ({ request }) => {
  const call = {
    method: request.method,
    host: request.host,
    isTls: request.protocol === "https:",
    createdAt: now(),
  };
  calls.push(call);
  request.once("socket", (socket) => {
    const connected = () => {
      call.connectedAt ??= now();
    };
    if (!socket.connecting) connected();
    else socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", connected);
  });
  request.once("response", (response) => {
    response.once("close", () => {
      call.endedAt = now();
    });
  });
});

process.on("message", () => {
  const { maxRSS } = process.resourceUsage();
  process.send({ startedAt: performance.timeOrigin, ...marks, calls, maxRssMB: maxRSS / 1024 });
});
process.channel?.unref();
