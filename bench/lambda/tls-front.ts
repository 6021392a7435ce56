import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";

/** A TLS proxy before a plain HTTP server, since AWS is called over TLS. */
export type TlsFront = {
  readonly url: string;
  /** Makes a process trust the certificate of the proxy. */
  readonly env: { readonly NODE_EXTRA_CA_CERTS: string };
  stop(): Promise<void>;
};

export async function startTlsFront(plainUrl: string, folder: string): Promise<TlsFront> {
  const authority = createCertificateAuthority();
  const { keyPem: key, certificatePem: cert } = authority.issueServerCertificate(["127.0.0.1"]);
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, Buffer.from(authority.certificateAuthorityData, "base64"));
  const { hostname, port } = new URL(plainUrl);
  const open = new Set<{ destroy(): unknown }>();
  const server = createServer({ key, cert, noDelay: true }, (socket) => {
    const onward = connect({ host: hostname, port: Number(port), noDelay: true });
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => open.delete(one));
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    env: { NODE_EXTRA_CA_CERTS: caFile },
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
