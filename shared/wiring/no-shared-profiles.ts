/**
 * Stands in, in the bundles, for the ways to credentials that only a person's machine has: profiles, single sign-on, a
 * process, a token file. A function has its own from its environment or its host, and 80 kB stay away.
 */
const skipped = () => async () => {
  throw Object.assign(new Error("A function takes no credentials from a shared profile"), {
    tryNextLink: true,
  });
};

export const fromIni = skipped;
export const fromProcess = skipped;
export const fromSSO = skipped;
export const fromTokenFile = skipped;
