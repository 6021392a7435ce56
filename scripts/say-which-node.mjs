// Runs as `prepare` at the end of `npm ci` and `npm install` in a checkout. Prints one line when npm runs on an older Node
// than package.json requires: npm names its own Node in npm_config_user_agent ("npm/11.19.1 node/v20.20.2 linux x64").
// JavaScript, since `npm ci --omit=dev` leaves only that older Node.
import { readFileSync } from "node:fs";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const needed = Number(engines.node.replace(">=", ""));
const majorOf = (version) => Number(/^v?(\d+)/.exec(version)?.[1]);
const [, version = process.version] = /\bnode\/(\S+)/.exec(process.env.npm_config_user_agent ?? "") ?? [];

if (majorOf(version) < needed) {
  const consequence =
    majorOf(process.version) < needed
      ? "the scripts cannot run"
      : `npm scripts use ${process.version} from node_modules`;
  console.error(`This project needs Node ${needed} or later, but npm runs on ${version}: ${consequence}.`);
}
