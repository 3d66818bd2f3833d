import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readConfigFile } from '../../../src/cli/keel/config-file.js';
import { serverConfig } from '../../../src/cli/keel/server-config.js';
import { serverFlags } from '../../../src/cli/keel/server-flags.js';

const folder = mkdtempSync(join(tmpdir(), 'keel-config-'));
const path = join(folder, 'keel.yaml');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (text: string) => {
  writeFileSync(path, text);
  return readConfigFile(serverFlags, path);
};

describe('a configuration file', () => {
  test('sets what flags set', async () => {
    const parsed = await read(`
name: a   # a comment
data-dir: d
listen-client-urls: http://127.0.0.1:1,http://127.0.0.1:2
listen-peer-urls: "http://127.0.0.1:3"
initial-cluster: a=http://localhost:2380
heartbeat-interval: 50
election-timeout: 500
pre-vote: no
quota-backend-bytes: -1
auto-compaction-retention: "5m"
compaction-sleep-interval: 3000000
experimental-corrupt-check-time: 5000000000
experimental-snapshot-catch-up-entries: 77
feature-gates: CompactHashCheck=true
log-outputs: [stdout, stderr]
log-level: warn
cors: http://a,http://b
socket-options: {reuse-port: true}
discovery-config:
future-key: {deep: [1]}
`);
    const config = serverConfig(parsed);
    expect(config.member).toMatchObject({
      name: 'a',
      dataDir: 'd',
      listenPeerUrls: ['http://127.0.0.1:3'],
      // Not asked for beside listen-client-urls, as on the command line.
      advertiseClientUrls: ['http://localhost:2379'],
      heartbeatMs: 50,
      electionMs: 500,
      preVote: false,
      quotaBackendBytes: -1,
      autoCompactionRetention: 300_000,
      compactionSleepMs: 3,
      corruptCheckMs: 5000,
      snapshotCatchUpEntries: 77,
      compactHashCheck: true,
    });
    expect(config.listening.listenClientUrls).toEqual(['http://127.0.0.1:1', 'http://127.0.0.1:2']);
    expect(config.log).toMatchObject({ level: 'warn', outputs: ['stdout', 'stderr'] });
    expect(config.transport.corsOrigins).toEqual(['http://a', 'http://b']);
    expect(parsed.given.has('socket-reuse-port')).toBe(true);
    expect(parsed.notes[0]?.msg).toMatch(/^loaded server configuration, other configuration command line flags/);
  });

  test('nests what TLS needs', async () => {
    const { values } = await read(
      JSON.stringify({
        'client-transport-security': {
          'cert-file': 'c',
          'client-cert-auth': true,
          'allowed-cn': ['n', 'm'],
          'allowed-hostname': ['h'],
        },
        'peer-transport-security': { 'key-file': 'k', 'allowed-cn': ['a', 'b'], 'skip-client-san-verification': true },
        'cipher-suites': ['A', 'B'],
      }),
    );
    expect(Object.fromEntries(values)).toMatchObject({
      'cert-file': 'c',
      'client-cert-auth': true,
      'client-cert-allowed-cn': 'n,m',
      'client-cert-allowed-hostname': 'h',
      'peer-key-file': 'k',
      'peer-cert-allowed-cn': 'a,b',
      'peer-skip-client-san-verification': true,
      'cipher-suites': 'A,B',
    });
  });

  test('may be empty', async () => {
    expect(serverConfig(await read('')).member.name).toBe('default');
    expect(serverConfig(await read('# nothing\n')).member.name).toBe('default');
  });

  const NOT = 'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal';
  test.each([
    ['heartbeat-interval: x', `${NOT} string into Go struct field configYAML.heartbeat-interval of type uint`],
    ['max-wals: -1', `${NOT} number -1 into Go struct field configYAML.max-wals of type uint`],
    ['max-txn-ops: 1.5', `${NOT} number 1.5 into Go struct field configYAML.max-txn-ops of type uint`],
    ['name: 5', `${NOT} number into Go struct field configYAML.name of type string`],
    [
      'corrupt-check-time: 5s',
      `${NOT} string into Go struct field configYAML.corrupt-check-time of type time.Duration`,
    ],
    ['pre-vote: 1', `${NOT} number 1 into Go struct field configYAML.pre-vote of type bool`],
    ['log-outputs: stderr', `${NOT} string into Go struct field configYAML.log-outputs of type []string`],
    [
      'client-transport-security: 5',
      `${NOT} number into Go struct field configYAML.client-transport-security of type embed.securityConfig`,
    ],
    ['a', `${NOT} string into Go value of type embed.configYAML`],
    ['name: [a', 'error converting YAML to JSON: yaml: '],
    ['initial-cluster-state: old', 'unexpected clusterState "old"'],
    ['listen-client-urls: ftp://a:1', 'unexpected error setting up listen-client-urls: URL scheme must be http'],
    ['log-outputs: [default, stderr]', 'multi logoutput for "default" is not supported yet'],
    ['proxy: "on"', '--proxy: there is no v2 proxy'],
  ])('%j is refused', async (text, why) => {
    await expect(read(text).then(serverConfig)).rejects.toThrow(why);
  });

  test('that is not there is named', async () => {
    await expect(readConfigFile(serverFlags, 'nofile.yaml')).rejects.toThrow(
      'open nofile.yaml: no such file or directory',
    );
  });
});
