import { createHmac, randomBytes } from "node:crypto";

/** The identity and key for checking a request's signature. */
export type KnownCredentials = {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly arn: string;
  readonly userId: string;
  /** Epoch milliseconds; only temporary credentials expire. */
  readonly expiresAt?: number;
};

export type IssuedCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly arn: string;
  readonly userId: string;
  readonly expiresAt: number;
};

export type SessionRequest = {
  /** The role's name, or its path and name. */
  readonly roleName: string;
  readonly sessionName: string;
  readonly lifeMs: number;
  /** Real session tokens have some hundred characters, and many more with session tags and policies. */
  readonly sessionTokenChars?: number;
};

export type Credentials = {
  find(accessKeyId: string): KnownCredentials | undefined;
  add(accessKeyId: string, known: KnownCredentials): void;
  issue(request: SessionRequest): IssuedCredentials;
};

const SESSION_TOKEN_CHARS = 700;

export function createCredentials(accountId: string, partition: string, now: () => number): Credentials {
  const known = new Map<string, KnownCredentials>();
  return {
    find: (accessKeyId) => known.get(accessKeyId),
    add: (accessKeyId, credentials) => void known.set(accessKeyId, credentials),
    issue({ roleName, sessionName, lifeMs, sessionTokenChars = SESSION_TOKEN_CHARS }) {
      const name = roleName.slice(roleName.lastIndexOf("/") + 1); // an assumed-role ARN has no path
      const issued: IssuedCredentials = {
        accessKeyId: `ASIA${upperCaseId(16)}`,
        secretAccessKey: randomBytes(30).toString("base64"),
        sessionToken: randomBytes(Math.ceil((sessionTokenChars * 3) / 4))
          .toString("base64")
          .slice(0, sessionTokenChars),
        arn: `arn:${partition}:sts::${accountId}:assumed-role/${name}/${sessionName}`,
        userId: `${roleId(name)}:${sessionName}`,
        expiresAt: now() + lifeMs,
      };
      const { accessKeyId, ...rest } = issued;
      known.set(accessKeyId, rest);
      return issued;
    },
  };
}

/** A role always has the same id, as in IAM; here it is derived from the name. */
export function roleId(name: string): string {
  return `AROA${createHmac("sha256", "role").update(name).digest("hex").slice(0, 17).toUpperCase()}`;
}

const ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function upperCaseId(length: number): string {
  return Array.from(randomBytes(length), (byte) => ID_LETTERS.charAt(byte % ID_LETTERS.length)).join("");
}
