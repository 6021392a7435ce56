/**
 * Replaces, in the bundles, the credential providers of a workstation: profiles, single sign-on, processes, token files.
 * A function gets its credentials from its environment. Without them a bundle holds no AWS client that its role does not
 * need, which test/template/every-permission-has-a-caller.test.ts checks, and 80 kB less.
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
