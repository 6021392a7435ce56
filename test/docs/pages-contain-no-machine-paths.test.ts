import { expect, it } from "vitest";
import { type Page, problemsOf } from "./markdown.ts";

/** The hosts that a page can link to or use in its examples. */
const HOSTS = [
  "docs.aws.amazon.com",
  "aws.amazon.com",
  "kubernetes.io",
  "external-secrets.io",
  "github.com",
  "keepachangelog.com",
  "semver.org",
  "www.conventionalcommits.org",
  "www.standardwebhooks.com",
  "127.0.0.1",
];
const EXAMPLE_HOST = /\.(amazonaws|example)\.com$/;

const MACHINE_PATHS = /(?<![\w.:/~-])(~\/|\/(home|root|Users|work|tmp|mnt|opt|srv|workspace)\/)[\w./-]*/g;

/** Well-known configuration files. */
const KNOWN_FILES = ["~/.kube/config", "~/.bashrc", "~/.zshrc", "~/.config/fish/config.fish"];

it("no page contains a path of a machine", () => {
  const pathsIn = ({ text }: Page) => text.match(MACHINE_PATHS) ?? [];

  expect(problemsOf((page) => pathsIn(page).filter((path) => !KNOWN_FILES.includes(path)))).toEqual([]);
});

it("pages link only to known hosts", () => {
  const hostsOf = ({ text }: Page) =>
    [...text.matchAll(/https?:\/\/([\w.-]+)/g)].map((match) => match[1] ?? "");
  const isKnown = (host: string) => HOSTS.includes(host) || EXAMPLE_HOST.test(host);

  expect(problemsOf((page) => hostsOf(page).filter((host) => !isKnown(host)))).toEqual([]);
});

it("the check finds a path of a machine", () => {
  expect("see /home/user/notes".match(MACHINE_PATHS)).toEqual(["/home/user/notes"]);
});
