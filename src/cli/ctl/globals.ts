import type { FlagSpec, Flags } from './flags.js';
import { flag } from './flags.js';

/** Flags of every command, in no particular order. */
export const GLOBAL_FLAGS: readonly FlagSpec[] = [
  flag('endpoints', 'strings', '127.0.0.1:2379', 'gRPC endpoints'),
  flag('debug', 'bool', 'false', 'enable client-side debug logging'),
  flag('write-out', 'string', 'simple', 'set the output format (fields, json, protobuf, simple, table)', 'w'),
  flag('hex', 'bool', 'false', 'print byte strings as hex encoded strings'),
  flag('dial-timeout', 'duration', '2s', 'dial timeout for client connections'),
  flag('command-timeout', 'duration', '5s', 'timeout for short running command (excluding dial timeout)'),
  flag('keepalive-time', 'duration', '2s', 'keepalive time for client connections'),
  flag('keepalive-timeout', 'duration', '6s', 'keepalive timeout for client connections'),
  flag('max-request-bytes', 'int', '0', 'client-side request send limit in bytes (if 0, it defaults to 2.0 MiB)'),
  flag(
    'max-recv-bytes',
    'int',
    '0',
    'client-side response receive limit in bytes (if 0, it defaults to "math.MaxInt32")',
  ),
  flag('insecure-transport', 'bool', 'true', 'disable transport security for client connections'),
  flag('insecure-discovery', 'bool', 'true', 'accept insecure SRV records describing cluster endpoints'),
  flag(
    'insecure-skip-tls-verify',
    'bool',
    'false',
    'skip server certificate verification (CAUTION: this option should be enabled only for testing purposes)',
  ),
  flag('cert', 'string', '', 'identify secure client using this TLS certificate file'),
  flag('key', 'string', '', 'identify secure client using this TLS key file'),
  flag('cacert', 'string', '', 'verify certificates of TLS-enabled secure servers using this CA bundle'),
  flag('user', 'string', '', 'username[:password] for authentication (prompt if password is not supplied)'),
  flag(
    'password',
    'string',
    '',
    "password for authentication (if this option is used, --user option shouldn't include password)",
  ),
  flag('discovery-srv', 'string', '', 'domain name to query for SRV records describing cluster endpoints', 'd'),
  flag('discovery-srv-name', 'string', '', 'service name to query when using DNS discovery'),
];

const PREFIX = 'ETCDCTL_';

export type EnvProblem =
  | { readonly level: 'fatal'; readonly msg: string; readonly variable: string }
  | { readonly level: 'warn'; readonly msg: string; readonly variable: string };

/**
 * Sets flags from ETCDCTL_<NAME>, those that are inherited from above only, as etcdctl does. A flag that is given
 * both ways is refused; a value that cannot be read is passed over.
 * @param readByCommand variables that the command reads itself
 */
export function applyEnv(
  flags: Flags,
  inherited: readonly FlagSpec[],
  env: NodeJS.ProcessEnv,
  readByCommand: readonly string[],
): EnvProblem[] {
  const problems: EnvProblem[] = [];
  // Of the days of two API versions; etcdctl looks away.
  const known = new Set<string>(['ETCDCTL_API', ...readByCommand]);
  for (const spec of inherited) {
    const variable = PREFIX + spec.name.toUpperCase().replaceAll('-', '_');
    const text = env[variable];
    if (text === undefined || text === '') continue;
    known.add(variable);
    if (flags.changed(spec.name)) {
      problems.push({ level: 'fatal', msg: SHADOWED, variable });
      continue;
    }
    flags.set(spec, text);
  }
  for (const variable of Object.keys(env).sort()) {
    if (!variable.startsWith(PREFIX) || known.has(variable)) continue;
    problems.push({
      level: 'warn',
      msg: 'unrecognized environment variable',
      variable: `${variable}=${env[variable]}`,
    });
  }
  return problems;
}

const SHADOWED =
  'conflicting environment variable is shadowed by corresponding command-line flag (either unset environment variable or disable flag))';
