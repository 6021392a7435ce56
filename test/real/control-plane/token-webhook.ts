import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { TokenVerdict } from "../../../sandbox/kubernetes/verify-eks-token.ts";
import type { CertificateAuthority } from "../../../sandbox/tls/certificate-authority.ts";

export type TokenWebhook = { url: string; stop(): Promise<void> };

/** Answers kube-apiserver's TokenReviews, in the place that aws-iam-authenticator has on EKS. */
export async function startTokenWebhook(options: {
  authority: CertificateAuthority;
  verify(token: string): TokenVerdict;
  group: string;
}): Promise<TokenWebhook> {
  const { keyPem, certificatePem } = options.authority.issueServerCertificate(["127.0.0.1"]);
  const server = createServer({ key: keyPem, cert: certificatePem }, async (request, response) => {
    const review = JSON.parse(await text(request)) as { spec: { token: string } };
    const verdict = options.verify(review.spec.token);
    const status = verdict.ok
      ? { authenticated: true, user: { username: verdict.arn, groups: [options.group] } }
      : { authenticated: false, error: verdict.reason };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", status }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
