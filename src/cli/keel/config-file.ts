import { readFileSync } from 'node:fs';
import type { Flag, Note, Parsed } from './flag-set.js';
import { defaults, FlagError } from './flag-set.js';
import type { FlagValue } from './flag-value.js';
import { parseUrls } from './flag-value.js';

const LOADED =
  'loaded server configuration, other configuration command line flags and environment variables will be ignored if provided';

type Section = (key: string) => string;

/** What is nested in the file, and how its keys are called as flags. */
const SECTIONS: Readonly<Record<string, { readonly type: string; readonly flagOf: Section }>> = {
  'client-transport-security': {
    type: 'embed.securityConfig',
    flagOf: (key) => (key.startsWith('allowed-') ? `client-cert-${key}` : key),
  },
  'peer-transport-security': {
    type: 'embed.securityConfig',
    flagOf: (key) => (key.startsWith('allowed-') ? `peer-cert-${key}` : `peer-${key}`),
  },
  'discovery-config': { type: 'v3discovery.DiscoveryConfig', flagOf: (key) => `discovery-${key}` },
  'socket-options': { type: 'transport.SocketOpts', flagOf: (key) => `socket-${key}` },
};

/** Lists in the file, comma lists as flags. */
const LISTS = new Set([
  'log-outputs',
  'cipher-suites',
  'peer-cert-allowed-cn',
  'peer-cert-allowed-hostname',
  'client-cert-allowed-cn',
  'client-cert-allowed-hostname',
  'discovery-endpoints',
]);

const OTHER_NAMES: Readonly<Record<string, string>> = {
  'experimental-snapshot-catch-up-entries': 'experimental-snapshot-catchup-entries',
};

/**
 * Reads a configuration file (operations spec 1.1): YAML, of which JSON is a part. Keys are the flags' names; those that
 * nobody knows are passed over. A duration is an integer of nanoseconds.
 * @throws FlagError
 */
export async function readConfigFile(flags: readonly Flag[], path: string): Promise<Parsed> {
  const fields = await load(path);
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const values = defaults(flags);
  const given = new Set<string>();
  const take = (key: string, name: string, value: unknown): void => {
    const flag = byName.get(name);
    if (flag === undefined || value === null || name === 'config-file' || name === 'version') return;
    values.set(name, convert(flag, key, value));
    given.add(name);
  };
  for (const [written, value] of Object.entries(fields)) {
    const key = written.toLowerCase();
    const section = SECTIONS[key];
    if (section === undefined) take(key, OTHER_NAMES[key] ?? key, value);
    else if (value !== null) {
      if (!isObject(value)) throw mismatch(key, value, section.type);
      for (const [inner, v] of Object.entries(value)) take(inner, section.flagOf(inner.toLowerCase()), v);
    }
  }
  const loaded: Note = { level: 'info', msg: LOADED, fields: { path } };
  return { values, given, notes: [loaded], file: path };
}

async function load(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (err) {
    const code = (err as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'no such file or directory' : code === 'EACCES' ? 'permission denied' : code;
    throw new FlagError(`open ${path}: ${why}`);
  }
  const { parse } = await import('yaml');
  let fields: unknown;
  try {
    // As the etcd's: `yes` and `on` are true.
    fields = parse(text, { version: '1.1', merge: true, logLevel: 'error' });
  } catch (err) {
    throw new FlagError(`error converting YAML to JSON: yaml: ${(err as Error).message.split('\n')[0]}`);
  }
  if (fields === null || fields === undefined) return {};
  if (!isObject(fields)) {
    throw new FlagError(
      `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonType(fields)} into Go value of type embed.configYAML`,
    );
  }
  return fields;
}

function convert(flag: Flag, key: string, value: unknown): FlagValue {
  if (LISTS.has(flag.name)) {
    if (!Array.isArray(value)) throw mismatch(key, value, '[]string');
    const wrong = value.find((one) => typeof one !== 'string');
    if (wrong !== undefined) throw mismatch(key, wrong, 'string');
    return value.join(',');
  }
  switch (flag.kind) {
    case 'string':
      if (typeof value !== 'string') throw mismatch(key, value, 'string');
      if (flag.choices !== undefined && !flag.choices.includes(value)) {
        const what = flag.name === 'initial-cluster-state' ? 'clusterState' : flag.name;
        throw new FlagError(`unexpected ${what} ${JSON.stringify(value)}`);
      }
      return value;
    case 'urls':
      if (typeof value !== 'string') throw mismatch(key, value, 'string');
      try {
        return parseUrls(value);
      } catch (err) {
        throw new FlagError(`unexpected error setting up ${key}: ${(err as Error).message}`);
      }
    case 'bool':
      if (typeof value !== 'boolean') throw mismatch(key, value, 'bool');
      return value;
    case 'duration':
      return integer(key, value, 'time.Duration') / 1e6;
    case 'int':
      return integer(key, value, flag.name === 'quota-backend-bytes' ? 'int64' : 'int');
    case 'uint':
    case 'milliseconds': {
      const number = integer(key, value, 'uint');
      if (number < 0) throw mismatch(key, value, 'uint');
      return number;
    }
  }
}

function integer(key: string, value: unknown, type: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw mismatch(key, value, type);
  return value;
}

function mismatch(key: string, value: unknown, type: string): FlagError {
  const shown =
    typeof value === 'number' && type !== 'string' && !type.includes('.sec') ? `number ${value}` : jsonType(value);
  return new FlagError(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${shown} into Go struct field configYAML.${key} of type ${type}`,
  );
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
