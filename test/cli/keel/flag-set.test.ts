import { describe, expect, test } from 'vitest';
import { parseFlags } from '../../../src/cli/keel/flag-set.js';
import { parseDuration } from '../../../src/cli/keel/flag-value.js';
import { serverConfig } from '../../../src/cli/keel/server-config.js';
import { serverFlags, serverUsage } from '../../../src/cli/keel/server-flags.js';

function parse(args: string[], env: Record<string, string> = {}) {
  return parseFlags(serverFlags, args, env, ['ETCD', 'KEEL']);
}

describe('flags are read as Go reads them', () => {
  test.each([[['-name', 'a']], [['--name', 'a']], [['--name=a']], [['-name=a']]])('%j', (args) => {
    expect(parse(args).values.get('name')).toBe('a');
  });

  test('a boolean takes its value behind = alone', () => {
    expect(parse(['--pre-vote']).values.get('pre-vote')).toBe(true);
    expect(parse(['--pre-vote=false']).values.get('pre-vote')).toBe(false);
    expect(() => parse(['--pre-vote', 'false'])).toThrow('"false" is not a valid flag');
  });

  test.each([
    [['--nope'], 'flag provided but not defined: -nope'],
    [['--name'], 'flag needs an argument: -name'],
    [['--heartbeat-interval', 'x'], 'invalid value "x" for flag -heartbeat-interval: parse error'],
    [['--pre-vote=maybe'], 'invalid boolean value "maybe" for -pre-vote: parse error'],
    [['--max-wals=-1'], 'invalid value "-1" for flag -max-wals: parse error'],
    [['--max-learners', '99999999999999999999'], 'value out of range'],
    [['--initial-cluster-state=old'], 'invalid value "old" for flag -initial-cluster-state: invalid value "old"'],
    [['--v2-deprecation', 'not-yet'], 'invalid value "not-yet" for flag -v2-deprecation: invalid value "not-yet"'],
    [['---name'], 'bad flag syntax: ---name'],
    [['stray'], '"stray" is not a valid flag'],
    [['--listen-peer-urls', 'ftp://h:1'], 'URL scheme must be http, https, unix, or unixs: ftp://h:1'],
    [['--listen-peer-urls', 'http://h'], 'URL address does not have the form "host:port": http://h'],
    [['--listen-peer-urls', 'http://h:1/x'], 'URL must not contain a path: http://h:1/x'],
    [['--listen-peer-urls', 'http://h:99999'], 'URL address does not have the form "host:port"'],
  ])('%j is refused', (args, text) => {
    expect(() => parse(args)).toThrow(text);
  });

  test('variables fill in what the line does not give, and must not contradict it', () => {
    expect(parse([], { ETCD_NAME: 'e' }).values.get('name')).toBe('e');
    expect(parse([], { KEEL_SNAPSHOT_COUNT: '7' }).values.get('snapshot-count')).toBe(7);
    expect(parse([], { ETCD_NAME: '' }).given.has('name')).toBe(false);
    expect(() => parse(['--name=a'], { ETCD_NAME: 'e' })).toThrow(/shadowed by corresponding command-line flag/);
    expect(parse([], { ETCD_NAME: 'e', KEEL_NAME: 'k' }).values.get('name')).toBe('k');
    expect(parse([], { ETCD_NOPE: '1', KEEL_TEST_SEED: '1', ETCD_NAME: 'e' }).notes).toEqual([
      {
        level: 'info',
        msg: 'recognized and used environment variable',
        fields: { 'variable-name': 'ETCD_NAME', 'variable-value': 'e' },
      },
      {
        level: 'warn',
        msg: 'unrecognized environment variable',
        fields: { 'environment-variable': 'ETCD_NOPE=1' },
      },
    ]);
    expect(() => parse([], { ETCD_HEARTBEAT_INTERVAL: 'x' })).toThrow(/ETCD_HEARTBEAT_INTERVAL/);
  });

  test.each([
    ['0', 0],
    ['10ms', 10],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['10', null],
    ['x', null],
    ['', null],
  ])('duration %j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
});

describe('the configuration of a member', () => {
  const config = (args: string[]) => serverConfig(parse(args));

  test("etcd's defaults", () => {
    const { member, listening } = config([]);
    expect(member.dataDir).toBe('default.etcd');
    expect(member.initialCluster).toEqual([{ name: 'default', peerUrls: ['http://localhost:2380'] }]);
    expect(listening.listenClientUrls).toEqual(['http://localhost:2379']);
    expect(listening.clientTls).toMatchObject({ certFile: '', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' });
  });

  test('a cluster of names and urls, one name with two urls', () => {
    const { member } = config(['--initial-cluster=a=http://h:1,b=http://h:2,a=http://h:3', '--name=a']);
    expect(member.initialCluster).toEqual([
      { name: 'a', peerUrls: ['http://h:1', 'http://h:3'] },
      { name: 'b', peerUrls: ['http://h:2'] },
    ]);
  });

  test.each([
    [
      ['--listen-client-urls=http://127.0.0.1:1'],
      '--advertise-client-urls is required when --listen-client-urls is set explicitly',
    ],
    [['--listen-peer-urls=http://example.com:1'], 'expected IP in URL for binding (http://example.com:1)'],
    [['--tls-min-version=TLS1.4'], 'unexpected TLS version "TLS1.4" (must be one of: TLS1.2, TLS1.3)'],
    [
      ['--tls-min-version=TLS1.3', '--tls-max-version=TLS1.2'],
      'min version (TLS1.3) is greater than max version (TLS1.2)',
    ],
    [['--cipher-suites=FOO'], 'unexpected TLS cipher suite "FOO"'],
    [
      ['--tls-min-version=TLS1.3', '--cipher-suites=TLS_RSA_WITH_AES_128_GCM_SHA256'],
      'cipher suites cannot be configured when only TLS1.3 is enabled',
    ],
    [['--auto-compaction-mode=x'], 'unknown auto-compaction-mode "x"'],
    [['--auto-compaction-mode=revision', '--auto-compaction-retention=1h'], '"1h" is no number'],
    [['--log-level=loud'], 'unrecognized level: "loud"'],
    [['--logger=x'], 'unknown logger option "x"'],
    [['--log-format=x'], 'unknown log format: x, supported values json, console'],
    [['--log-outputs=default,stderr'], 'multi logoutput for "default" is not supported yet'],
    [['--enable-log-rotation'], '--log-outputs requires a single file path when --log-rotate-config-json is defined'],
    [
      ['--enable-log-rotation', '--log-outputs=a,b'],
      '--log-outputs requires a single file path when --log-rotate-config-json is defined',
    ],
    [
      ['--enable-log-rotation', '--log-outputs=a', '--log-rotation-config-json={"maxsize":"x"}'],
      'invalid log rotation config: json: cannot unmarshal string into Go struct field logRotationConfig.Logger.maxsize of type int',
    ],
    [
      ['--enable-log-rotation', '--log-outputs=a', '--log-rotation-config-json={'],
      'improperly formatted log rotation config: ',
    ],
    [['--discovery-srv=a', '--initial-cluster=default=http://h:1'], 'multiple discovery or bootstrap flags are set'],
    [['--discovery-token=a'], 'both --discovery-token and --discovery-endpoints must be set'],
    [['--discovery-srv=a'], '--discovery-srv: discovery is not built'],
    [['--experimental-enable-distributed-tracing'], 'distributed tracing is not built'],
    [['--initial-cluster=a'], 'invalid element "a": want name=url'],
  ])('%j is refused', (args, text) => {
    expect(() => config(args)).toThrow(text);
  });

  test('compaction by time in hours or a duration, by revision in numbers', () => {
    expect(config(['--auto-compaction-retention=2']).member.autoCompactionRetention).toBe(7_200_000);
    expect(config(['--auto-compaction-retention=5m']).member.autoCompactionRetention).toBe(300_000);
    const byRevision = config(['--auto-compaction-mode=revision', '--auto-compaction-retention=1000']).member;
    expect(byRevision.autoCompactionRetention).toBe(1000);
  });

  test('what is not built may be told what is so anyway', () => {
    expect(() => config(['--enable-pprof=false', '--metrics=basic', '--cert-file='])).not.toThrow();
  });

  test('numbers in the bases of Go, and beyond what a limit passes', () => {
    const { member } = config(['--max-txn-ops=0x10', '--max-wals=010', '--quota-backend-bytes=9223372036854775807']);
    expect(member.maxTxnOps).toBe(16);
    expect(member.maxWals).toBe(8);
    expect(member.quotaBackendBytes).toBe(Number.MAX_SAFE_INTEGER);
    expect(config(['--quota-backend-bytes=-1']).member.quotaBackendBytes).toBe(-1);
  });

  test('the usage names every flag that has a meaning', () => {
    const usage = serverUsage();
    for (const { name, help } of serverFlags) {
      if (help !== '' && !['version', 'config-file'].includes(name)) expect(usage).toContain(`\n  --${name} '`);
    }
    expect(usage.match(/^[A-Z][^\n]*:$/gm)?.slice(0, 6)).toEqual([
      'Usage:',
      'Member:',
      'Clustering:',
      'Security:',
      'Auth:',
      'Profiling and Monitoring:',
    ]);
  });
});
