// Loaded into the story before anything else: its passwords become ones that the test knows, one line each in a file.

import crypto from "node:crypto";
import { appendFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const real = crypto.randomBytes;
let made = 0;
crypto.randomBytes = (size, ...rest) => {
  if (size !== 18) return real(size, ...rest); // 18 bytes are what the story makes a password of
  made += 1;
  const bytes = Buffer.from(`canary-of-story-${String(made).padStart(2, "0")}`);
  appendFileSync(process.env.CANARY_FILE, `${bytes.toString("base64url")}\n`);
  return bytes;
};
syncBuiltinESMExports();
