/** `npm run sim`: the simulator as a command. */
import { parseArguments, USAGE } from './runner/arguments.js';
import { printHashes } from './runner/hashes.js';
import { Session } from './runner/session.js';
import { measureSpeed } from './runner/speed.js';

// Whoever reads us may have seen enough (| head).
process.stdout.on('error', () => process.exit(1));

const argv = process.argv.slice(2);
if (argv.includes('--help') || argv.includes('-h')) {
  process.stdout.write(USAGE);
} else {
  try {
    const args = parseArguments(argv);
    const print = (line: string): void => void process.stdout.write(`${line}\n`);
    const from = args.from ?? 1;
    const failures = args.speed
      ? measureSpeed(args.seeds, from, print)
      : args.hashes
        ? printHashes(args.seeds, from, print)
        : new Session(args, print).run();
    process.exitCode = failures === 0 ? 0 : 1;
  } catch (err) {
    process.stderr.write(`${(err as Error).message}\n`);
    process.exitCode = 2;
  }
}
