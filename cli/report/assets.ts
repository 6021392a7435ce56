import { readFileSync } from "node:fs";

/** The page's own style and script. scripts/build-cli.ts puts their text here for the published package. */
export const STYLE = readFileSync(new URL("page.css", import.meta.url), "utf8");
export const SCRIPT = readFileSync(new URL("page.js", import.meta.url), "utf8");
