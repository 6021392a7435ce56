// Says in one line, at the end of `npm ci` and `npm install`, which Node the scripts use when npm itself runs on an older
// one than package.json asks for. npm names its own Node in npm_config_user_agent ("npm/11.19.1 node/v20.20.2 linux x64").
// Run as `prepare`, which an installation of the published package does not run. JavaScript, since `npm ci --omit=dev`
// leaves only that older Node.
import { readFileSync } from "node:fs";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const needed = Number(engines.node.replace(">=", ""));
const majorOf = (version) => Number(/^v?(\d+)/.exec(version)?.[1]);
const [, version = process.version] = /\bnode\/(\S+)/.exec(process.env.npm_config_user_agent ?? "") ?? [];

if (majorOf(version) < needed) {
  const whatHappens =
    majorOf(process.version) < needed
      ? "nothing here runs on it"
      : `npm scripts run on the ${process.version} that npm installed in node_modules`;
  console.error(`This project needs Node ${needed} or later, and you have ${version}: ${whatHappens}.`);
}
