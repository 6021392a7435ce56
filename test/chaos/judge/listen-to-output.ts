import { currentEnvironment } from "../transport/environment.ts";

/** Passes everything written to stdout and stderr to `listener` as well, until the returned function is called. */
export function listenToOutput(listener: (text: string) => void): () => void {
  const ends = [process.stdout, process.stderr].map((stream) => {
    const write = stream.write;
    const writeAndListen = (...args: Parameters<typeof write>): boolean => {
      if (isGone()) return true;
      listener(String(args[0]));
      return Reflect.apply(write, stream, args) as boolean;
    };
    stream.write = writeAndListen as typeof write;
    return () => {
      stream.write = write;
    };
  });
  // The console of a test runner does not write to those streams in the context of its caller.
  const consoleEnds = (["log", "info", "warn", "error", "debug"] as const).map((method) => {
    const print = console[method];
    console[method] = (...parts: unknown[]) => {
      if (!isGone()) print.apply(console, parts);
    };
    return () => {
      console[method] = print;
    };
  });
  return () => {
    for (const end of [...ends, ...consoleEnds]) end();
  };
}

/** A killed process prints nothing, but its timers still run here. */
function isGone(): boolean {
  return currentEnvironment()?.isDead === true;
}
