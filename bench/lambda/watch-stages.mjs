// Loaded before Lambda's runtime client (NODE_OPTIONS=--import). Records when each stage of the unchanged function begins
// and ends, and sends the times to the bench on request. Times are epoch ms.
import crypto from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import { registerHooks, syncBuiltinESMExports } from "node:module";
import { TLSSocket } from "node:tls";

const now = () => performance.timeOrigin + performance.now();
const times = {};
const first = (name) => {
  times[name] ??= now();
};

registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context);
    if (resolved.url.endsWith("/handler.mjs")) first("importAt");
    return resolved;
  },
});

// The SDK reads credentials from the environment first.
process.env = new Proxy(process.env, {
  get: (env, name) => {
    if (name === "AWS_ACCESS_KEY_ID" && times.importAt !== undefined) first("credentialsAt");
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
  process.send({ startedAt: performance.timeOrigin, ...times, calls, maxRssMB: maxRSS / 1024 });
});
process.channel?.unref();
