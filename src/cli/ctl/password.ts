import type { Io } from './io.js';

const readers = new WeakMap<Io, AsyncIterator<string>>();

/**
 * Asks for a password: on a terminal without showing it, else the next line of standard input. At the end of the input
 * it is empty.
 */
export async function askPassword(io: Io, prompt: string): Promise<string> {
  if (prompt !== '') io.out(prompt);
  if (io.hidden !== undefined) return io.hidden();
  let lines = readers.get(io);
  if (lines === undefined) readers.set(io, (lines = io.lines()));
  const { value, done } = await lines.next();
  if (prompt !== '') io.out('\n');
  return done === true ? '' : (value as string).replace(/\r?\n$/, '');
}

/** The keys typed on a terminal up to Enter. Ctrl-C ends the program as it would outside. */
export function readHidden(terminal: NodeJS.ReadStream): Promise<string> {
  return new Promise((done) => {
    let typed = '';
    const end = (): void => {
      terminal.off('data', onKeys);
      terminal.setRawMode(false);
      terminal.pause();
      process.stdout.write('\n');
    };
    const onKeys = (keys: Buffer): void => {
      for (const key of keys.toString('utf8')) {
        if (key === '\r' || key === '\n') {
          end();
          return done(typed);
        }
        if (key === '\u0003') {
          end();
          process.exit(130);
        }
        typed = key === '\u007f' || key === '\b' ? [...typed].slice(0, -1).join('') : typed + key;
      }
    };
    terminal.setRawMode(true);
    terminal.on('data', onKeys);
    terminal.resume();
  });
}
