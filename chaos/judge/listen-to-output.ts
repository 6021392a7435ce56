import { currentEnvironment } from "../wire/environment.ts";

/** Whatever is written to stdout and stderr is also handed to `hear`, until the returned function is called. */
export function listenToOutput(hear: (text: string) => void): () => void {
  const ends = [process.stdout, process.stderr].map((stream) => {
    const write = stream.write;
    const heard = (...args: Parameters<typeof write>): boolean => {
      if (currentEnvironment()?.isDead) return true; // a process that is gone says nothing, but its timers still run here
      hear(String(args[0]));
      return Reflect.apply(write, stream, args) as boolean;
    };
    stream.write = heard as typeof write;
    return () => {
      stream.write = write;
    };
  });
  return () => {
    for (const end of ends) end();
  };
}
