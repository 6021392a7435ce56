import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Debian's package installs the first path. */
const PATHS = [process.env.CHROMIUM_PATH ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser"];

export async function launchBrowser(): Promise<Browser> {
  const executablePath = PATHS.find((path) => path !== "" && existsSync(path));
  if (executablePath === undefined) {
    throw new Error("Chromium was not found. Install Debian's package chromium, or set CHROMIUM_PATH.");
  }
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export type OpenPage = {
  readonly page: Page;
  /** Requests of the browser, except for the file itself. */
  readonly requests: string[];
  /** Violations of the policy of the page, errors, dialogs and messages. */
  readonly complaints: string[];
};

/** Opens a file, and listens from before its first byte. */
export async function openFile(
  browser: Browser,
  file: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  const address = pathToFileURL(file).href;
  page.on("request", (request) => {
    const isIcon = request.url() === "data:,";
    if (request.url() !== address && !isIcon) requests.push(request.url());
  });
  page.on("pageerror", ({ message }) => complaints.push(`error: ${message}`));
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("dialog", async (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.exposeFunction("reportViolation", (violation: string) =>
    complaints.push(`violation: ${violation}`),
  );
  await page.addInitScript({
    content: `document.addEventListener("securitypolicyviolation", ({ violatedDirective, sample }) =>
      window.reportViolation(violatedDirective + " " + sample));`,
  });
  await page.goto(address);
  return { page, requests, complaints };
}
