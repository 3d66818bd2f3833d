import type { Overrides } from '../options.js';

export interface SimArguments {
  readonly seeds: number;
  /** null: fresh ones. */
  readonly from: number | null;
  readonly trace: boolean;
  readonly debug: boolean;
  readonly mutants: readonly string[];
  /** Ids of the faults that happen; null: all that the seed draws. */
  readonly faults: readonly number[] | null;
  readonly overrides: Overrides;
  readonly ledger: string;
  /** A failing seed is not made smaller. */
  readonly noShrink: boolean;
  /** Go on behind a failing seed. */
  readonly keepGoing: boolean;
  /** Only measure how fast it is. */
  readonly speed: boolean;
  /** Only print the trace hash of each seed. */
  readonly hashes: boolean;
}

export const USAGE = `npm run sim -- [flags]

  --seeds N         so many fresh seeds (default 20)
  --from S          ... from this one on
  --seed S          one seed
  --trace           print what happens, with the virtual time; --debug: raft's reasons too
  --set K=V[,K=V]   change drawn options: clients=1,watchers=0,faultKinds=crash+rot,others=none
  --faults 1,4,7    of the drawn faults only these; --faults none
  --mutant NAME     put a bug back
  --keep-going      do not stop at the first failing seed
  --no-shrink       report a failing seed as it is
  --speed           how much simulated time goes into a second; --seeds N of each kind (default 20)
  --hashes          print only the trace hash of each seed, for comparison with another machine or Node
  --ledger FILE     where each run leaves a line (default sim-ledger.jsonl)
`;

/** @throws Error with a message for the user */
export function parseArguments(argv: readonly string[]): SimArguments {
  const found = new Map<string, string>();
  const flags = new Set(['--trace', '--debug', '--no-shrink', '--keep-going', '--speed', '--hashes']);
  const valued = new Set(['--seeds', '--seed', '--from', '--set', '--faults', '--mutant', '--ledger']);
  for (let i = 0; i < argv.length; i++) {
    const [name, inline] = (argv[i] as string).split(/=(.*)/s) as [string, string | undefined];
    if (flags.has(name)) found.set(name, '');
    else if (valued.has(name)) {
      const value = inline ?? argv[++i];
      if (value === undefined) throw new Error(`${name} needs a value`);
      found.set(name, value);
    } else throw new Error(`unknown flag ${name}\n\n${USAGE}`);
  }
  const seed = found.get('--seed');
  const from = seed ?? found.get('--from');
  const faults = found.get('--faults');
  const mutant = found.get('--mutant');
  return {
    seeds: seed === undefined ? count('--seeds', found.get('--seeds') ?? '20') : 1,
    from: from === undefined ? null : count('--seed', from),
    trace: found.has('--trace') || found.has('--debug'),
    debug: found.has('--debug'),
    mutants: mutant === undefined ? [] : mutant.split(','),
    faults: faults === undefined ? null : faults === 'none' ? [] : faults.split(',').map((id) => count('--faults', id)),
    overrides: parseOverrides(found.get('--set')),
    ledger: found.get('--ledger') ?? 'sim-ledger.jsonl',
    noShrink: found.has('--no-shrink'),
    keepGoing: found.has('--keep-going'),
    speed: found.has('--speed'),
    hashes: found.has('--hashes'),
  };
}

function count(name: string, text: string): number {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 0) throw new Error(`${name}: ${text} is no number`);
  return n;
}

function parseOverrides(text: string | undefined): Overrides {
  const entries = (text ?? '').split(',').filter((part) => part !== '');
  return Object.fromEntries(
    entries.map((part) => {
      const [key, value] = part.split('=') as [string, string | undefined];
      if (value === undefined) throw new Error(`--set: ${part} has no value`);
      if (key === 'faultKinds') return [key, value.split('+').filter((kind) => kind !== '')];
      if (key === 'others') return [key, parseOthers(value)];
      const plain = value === 'true' ? true : value === 'false' ? false : Number(value);
      return [key, typeof plain === 'number' && Number.isNaN(plain) ? value : plain];
    }),
  ) as Overrides;
}

/** `maintenance:2+auth:1`; `none`. */
function parseOthers(text: string): Record<string, number> {
  const parts = text.split('+').filter((part) => part !== '' && part !== 'none');
  return Object.fromEntries(
    parts.map((part) => {
      const [name, number] = part.split(':') as [string, string | undefined];
      return [name, count(`--set others=${name}`, number ?? '1')];
    }),
  );
}

function settingText(value: unknown): string {
  if (Array.isArray(value)) return value.join('+');
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Object.entries(value).map(([name, number]) => `${name}:${number}`);
  return parts.join('+') || 'none';
}

/** The one line that shows the same again. */
export function reproduceLine(
  seed: number,
  what: { overrides: Overrides; faults: readonly number[] | null; mutants: readonly string[] },
): string {
  const set = Object.entries(what.overrides).map(([key, value]) => `${key}=${settingText(value)}`);
  return [
    `npm run sim -- --seed ${seed}`,
    ...(set.length > 0 ? [`--set ${set.join(',')}`] : []),
    ...(what.faults === null ? [] : [`--faults ${what.faults.join(',') || 'none'}`]),
    ...(what.mutants.length > 0 ? [`--mutant ${what.mutants.join(',')}`] : []),
  ].join(' ');
}
