import { currentEnvironment } from "../wire/environment.ts";

/** Whatever is written to stdout and stderr is also handed to `hear`, until the returned function is called. */
export function listenToOutput(hear: (text: string) => void): () => void {
  const ends = [process.stdout, process.stderr].map((stream) => {
    const write = stream.write;
    const heard = (...args: Parameters<typeof write>): boolean => {
      if (isGone()) return true;
      hear(String(args[0]));
      return Reflect.apply(write, stream, args) as boolean;
    };
    stream.write = heard as typeof write;
    return () => {
      stream.write = write;
    };
  });
  // The console of a test runner does not write to those in the context of its caller.
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

/** A process that is gone says nothing, but its timers still run here. */
function isGone(): boolean {
  return currentEnvironment()?.isDead === true;
}
