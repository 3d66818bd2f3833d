/** `npm run sim`: the simulator as a command. */
import { parseArguments, USAGE } from './runner/arguments.js';
import { Session } from './runner/session.js';

// Whoever reads us may have seen enough (| head).
process.stdout.on('error', () => process.exit(1));

const argv = process.argv.slice(2);
if (argv.includes('--help') || argv.includes('-h')) {
  process.stdout.write(USAGE);
} else {
  try {
    const failures = new Session(parseArguments(argv), (line) => process.stdout.write(`${line}\n`)).run();
    process.exitCode = failures === 0 ? 0 : 1;
  } catch (err) {
    process.stderr.write(`${(err as Error).message}\n`);
    process.exitCode = 2;
  }
}
