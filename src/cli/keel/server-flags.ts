import { olderFlags } from './feature-gates.js';
import type { Flag } from './flag-set.js';
import { CLUSTERING, PROXY } from './flags/clustering.js';
import { FEATURES, GENERAL, OWN, PAST_FLAGS, UNSAFE } from './flags/features.js';
import { LOGGING, MONITORING, TRACING_FLAGS } from './flags/logging.js';
import { MEMBER } from './flags/member.js';
import { AUTH, SECURITY } from './flags/security.js';

const currentFlags: readonly Flag[] = [
  ...GENERAL,
  ...MEMBER,
  ...CLUSTERING,
  ...SECURITY,
  ...AUTH,
  ...MONITORING,
  ...LOGGING,
  ...TRACING_FLAGS,
  ...FEATURES,
  ...OWN,
  ...UNSAFE,
];

/** The flags of `keel server`: every one that etcd 3.5 to 3.7 has, with its default (operations spec 1.2), and ours. */
export const serverFlags: readonly Flag[] = [
  ...currentFlags,
  ...olderFlags(currentFlags, 'Older names'),
  ...PROXY,
  ...PAST_FLAGS,
];

const HEAD = `Usage:

  keel server [flags]
    Start a member of a cluster. Also plain "keel [flags]".

  keel server --version
    Show the version.

  keel server -h | --help
    Show this help.

  keel server --config-file
    Path to the server configuration file. Note that if a configuration file is provided, other command line flags and environment variables will be ignored.

  keel gateway, keel grpc-proxy
    Not built.
`;

/** The text of --help, in etcd's groups. Those that etcd hides are hidden. */
export function serverUsage(): string {
  const shown = serverFlags.filter((flag) => flag.help !== '' && flag.group !== 'General');
  const lines = [HEAD];
  for (const group of new Set(shown.map((flag) => flag.group))) {
    lines.push(`${group}:`);
    for (const flag of shown) {
      if (flag.group !== group) continue;
      lines.push(`  --${flag.name} '${flag.shown ?? flag.initial}'`, `    ${flag.help}${standing(flag)}`);
    }
    lines.push('');
  }
  lines.push('CAUTIOUS with unsafe flag! It may break the guarantees given by the consensus protocol!');
  return `${lines.join('\n')}\n`;
}

/** What is to be said of a flag that does not do what it does in etcd. */
function standing(flag: Flag): string {
  if (flag.inert !== undefined) return ` (Without effect here: ${flag.inert}.)`;
  return flag.unbuilt === undefined ? '' : ` (Refused: ${flag.unbuilt}.)`;
}
