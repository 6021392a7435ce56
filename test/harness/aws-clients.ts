import { EKSClient } from "@aws-sdk/client-eks";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { STSClient } from "@aws-sdk/client-sts";
import type { AwsBackend } from "./backend.ts";

export type TestCredentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

export type AwsClients = {
  secrets: SecretsManagerClient;
  sts: STSClient;
  eks: EKSClient;
  destroy(): void;
};

/** The SDK's own clients, pointed at a backend; without retries, so that a test sees each answer. */
export function awsClients(backend: AwsBackend, credentials = credentialsOf(backend)): AwsClients {
  const { env, region } = backend;
  const common = { region, credentials, maxAttempts: 1 };
  const secrets = new SecretsManagerClient({ ...common, endpoint: endpointOf(env, "SECRETS_MANAGER") });
  const sts = new STSClient({ ...common, endpoint: endpointOf(env, "STS") });
  const eks = new EKSClient({ ...common, endpoint: endpointOf(env, "EKS") });
  return {
    secrets,
    sts,
    eks,
    destroy() {
      for (const client of [secrets, sts, eks]) client.destroy();
    },
  };
}

export function credentialsOf({ env }: AwsBackend): TestCredentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = env;
  return { accessKeyId, secretAccessKey };
}

function endpointOf(env: Readonly<Record<string, string>>, service: string): string {
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`];
  if (endpoint === undefined) throw new Error(`The backend has no AWS_ENDPOINT_URL_${service}`);
  return endpoint;
}
