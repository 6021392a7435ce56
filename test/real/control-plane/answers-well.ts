import { get, type RequestOptions } from "node:https";

/** Whether a GET answers 200. Rejects if nothing answers. */
export function answersWell(url: string, options: Pick<RequestOptions, "ca" | "headers">): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ...options, agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy(new Error(`${url} does not answer`)));
    request.on("error", reject);
  });
}
