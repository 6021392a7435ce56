import { readFileSync } from "node:fs";

/** The style and script of the page. In the package of the command, scripts/build-command.ts replaces these reads by the text. */
export const STYLE = readFileSync(new URL("page.css", import.meta.url), "utf8");
export const SCRIPT = readFileSync(new URL("page.js", import.meta.url), "utf8");
