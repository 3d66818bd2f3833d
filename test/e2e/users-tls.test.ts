import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StoreKind } from '../support/binaries.js';
import { etcdBinary, etcdctlBinary, keelBuilt } from '../support/binaries.js';
import type { CertFiles } from '../support/certificates.js';
import { Authority } from '../support/certificates.js';
import type { CtlResult } from '../support/ctl.js';
import { runEtcdctl, runKeelctl } from '../support/ctl.js';
import { MemberProcess } from '../support/member-process.js';
import { freePorts } from '../support/ports.js';

// Users and roles over mutual TLS, by name and password and by the name in the certificate, with the real etcdctl and
// npm's etcd3: the same answers from Keel as from a real etcd.

let ca: Authority;
let dir: string;
let server: CertFiles;
/** Who has which name in his certificate. nobody is no user. */
let by: Record<'root' | 'alice' | 'bob' | 'nobody', CertFiles>;

beforeAll(() => {
  ca = Authority.make();
  dir = mkdtempSync(join(tmpdir(), 'keel-users-tls-'));
  server = ca.issue('server', { commonName: 'server', hosts: ['127.0.0.1', 'localhost'] });
  by = {
    root: ca.issue('root', { commonName: 'root' }),
    alice: ca.issue('alice', { commonName: 'alice' }),
    bob: ca.issue('bob', { commonName: 'bob' }),
    nobody: ca.issue('nobody', { commonName: 'nobody' }),
  };
});
afterAll(() => {
  ca.remove();
  rmSync(dir, { recursive: true, force: true });
});

type Who = keyof typeof by;
const etcd = etcdBinary();
const etcdctl = etcdctlBinary();
if (etcd === undefined) console.warn('SKIPPED users over TLS beside a real etcd: no etcd: set KEEL_TEST_ETCD_BIN');
if (etcdctl === undefined) console.warn('SKIPPED users over TLS with the real etcdctl: set KEEL_TEST_ETCDCTL_BIN');

async function start(kind: StoreKind): Promise<[MemberProcess, string]> {
  const [client, peer] = (await freePorts(2)) as [number, number];
  const url = `https://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const member = new MemberProcess({
    kind,
    name: kind,
    logFile: join(dir, `${kind}.log`),
    flags: [
      `--name=${kind}`,
      `--data-dir=${join(dir, `${kind}-${client}`)}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=${kind}=${peerUrl}`,
      `--cert-file=${server.cert}`,
      `--key-file=${server.key}`,
      `--trusted-ca-file=${ca.caFile}`,
      '--client-cert-auth=true',
      '--bcrypt-cost=4',
    ],
  });
  member.start();
  await member.ready(20_000);
  return [member, url];
}

/** What ctl says, without what differs from run to run. */
function line(result: CtlResult): string {
  const error =
    result.err
      .split('\n')
      .filter((text) => text.startsWith('Error: '))
      .at(-1) ?? '';
  const out = result.out
    .replaceAll(/lease [0-9a-f]+ /g, 'lease <id> ')
    .replaceAll(/^[0-9a-f]{13,16}, .*/gm, '<member>')
    .trimEnd();
  return [`${result.code}`, out, error].filter(Boolean).join(' | ');
}

const before: string[][] = [
  ['user', 'add', 'root:r'],
  ['user', 'grant-role', 'root', 'root'],
  ['role', 'add', 'app'],
  ['role', 'grant-permission', 'app', 'readwrite', 'app/', '--prefix'],
  ['role', 'grant-permission', 'app', 'read', 'shared'],
  ['user', 'add', 'alice:a'],
  ['user', 'add', 'bob', '--no-password'],
  ['user', 'grant-role', 'alice', 'app'],
  ['user', 'grant-role', 'bob', 'app'],
  ['put', 'shared', 'for all'],
  ['put', 'other', 'for root'],
  ['auth', 'enable'],
];

/** Whose certificate, whose name and password, and what. */
const steps: [Who, string, ...string[]][] = [
  ['alice', '', 'put', 'app/1', 'by certificate'],
  ['alice', '', 'get', 'app/1'],
  ['alice', '', 'get', 'shared'],
  ['alice', '', 'put', 'shared', 'x'],
  ['alice', '', 'get', 'other'],
  ['alice', '', 'get', 'app/', '--prefix', '--keys-only'],
  ['alice', '', 'get', 'app/', '--from-key'],
  ['alice', '', 'get', '', '--prefix'],
  ['alice', '', 'del', 'app/', '--prefix'],
  ['alice', '', 'del', 'other'],
  ['bob', '', 'put', 'app/2', 'without a password'],
  ['bob', '', 'get', 'app/2'],
  ['bob', 'bob:', 'get', 'app/2'],
  ['bob', 'bob:x', 'get', 'app/2'],
  ['nobody', '', 'get', 'shared'],
  ['nobody', 'alice:a', 'get', 'shared'],
  ['nobody', 'alice:wrong', 'get', 'shared'],
  ['nobody', 'nobody:x', 'get', 'shared'],
  // A name and a password count more than the certificate.
  ['root', 'alice:a', 'get', 'other'],
  ['alice', 'root:r', 'get', 'other'],
  ['root', '', 'get', 'other'],
  ['root', '', 'user', 'list'],
  ['alice', '', 'user', 'list'],
  ['alice', '', 'user', 'get', 'alice'],
  ['alice', '', 'user', 'get', 'bob'],
  ['alice', '', 'role', 'get', 'app'],
  ['alice', '', 'role', 'list'],
  ['alice', '', 'lease', 'grant', '100'],
  ['alice', '', 'member', 'list'],
  ['alice', '', 'alarm', 'list'],
  ['alice', '', 'auth', 'disable'],
  ['alice', 'root:r', 'user', 'revoke-role', 'bob', 'app'],
  ['bob', '', 'get', 'app/2'],
  ['alice', 'root:r', 'user', 'delete', 'bob'],
  ['bob', '', 'get', 'app/2'],
  ['root', '', 'auth', 'status'],
];

async function tell(kind: StoreKind, ctl: typeof runEtcdctl): Promise<string[]> {
  const [member, url] = await start(kind);
  const lines: string[] = [];
  const run = async (who: Who, user: string, args: string[]): Promise<void> => {
    const { cert, key } = by[who];
    const all = [`--endpoints=${url}`, `--cacert=${ca.caFile}`, `--cert=${cert}`, `--key=${key}`];
    const result = await ctl({ args: [...all, ...(user === '' ? [] : [`--user=${user}`]), ...args] });
    lines.push(`${who} ${user} ${args.join(' ')}: ${line(result)}`);
  };
  for (const args of before) await run('nobody', '', args);
  for (const [who, user, ...args] of steps) await run(who, user, args);
  lines.push(...(await tellEtcd3(url)));
  await run('root', '', ['auth', 'disable']);
  await run('nobody', '', ['get', 'other']);
  await member.stop();
  return lines;
}

/** The same by npm's etcd3. */
async function tellEtcd3(url: string): Promise<string[]> {
  const lines: string[] = [];
  const cases: [Who, { username: string; password: string } | undefined][] = [
    ['alice', undefined],
    ['nobody', undefined],
    ['nobody', { username: 'alice', password: 'a' }],
    ['nobody', { username: 'alice', password: 'wrong' }],
    ['alice', { username: 'root', password: 'r' }],
  ];
  for (const [who, auth] of cases) {
    const { cert, key } = by[who];
    const client = new Etcd3({
      hosts: url,
      credentials: {
        rootCertificate: readFileSync(ca.caFile),
        certChain: readFileSync(cert),
        privateKey: readFileSync(key),
      },
      ...(auth === undefined ? {} : { auth }),
    });
    const told = async (what: string, action: () => Promise<unknown>): Promise<void> => {
      const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('silent')), 3000).unref());
      const outcome = await Promise.race([action(), late]).then(
        (value) => `OK ${String(value)}`,
        (err: Error) => `${err.constructor.name}: ${err.message}`,
      );
      lines.push(`etcd3 ${who} ${auth?.username ?? ''}:${auth?.password ?? ''} ${what}: ${outcome}`);
    };
    await told('put', async () => void (await client.put('app/3').value('etcd3')));
    await told('get', () => client.get('app/3').string());
    await told('get other', () => client.get('other').string());
    await told('all', async () => Object.keys(await client.getAll().prefix('app/').strings()).join());
    await told('txn', async () => {
      const txn = client
        .if('app/3', 'Value', '==', 'etcd3')
        .then(client.put('app/3').value('again'), client.get('shared'));
      return (await txn.commit()).succeeded;
    });
    await told('txn that may not', async () => {
      const txn = client.if('app/3', 'Version', '>', 0).then(client.get('app/3')).else(client.put('other').value('x'));
      return (await txn.commit()).succeeded;
    });
    await told('watch', async () => {
      const watcher = await client.watch().key('app/3').create();
      const event = new Promise<string>((resolve) => watcher.on('put', (kv) => resolve(kv.value.toString())));
      await client.put('app/3').value('seen');
      const seen = await event;
      await watcher.cancel();
      return seen;
    });
    await told('lock', () => client.lock('app/lock').do(async () => 'held'));
    client.close();
  }
  return lines;
}

test.skipIf(!keelBuilt() || etcdctl === undefined)(
  'etcdctl and etcd3 over mutual TLS with users and roles',
  { timeout: 120_000 },
  async () => {
    const ours = await tell('keel', runEtcdctl);
    expect(ours).toContain('alice  put app/1 by certificate: 0 | OK');
    expect(ours.filter((text) => text.startsWith('etcd3 '))).toHaveLength(5 * 8);
    if (etcd !== undefined) expect(ours).toEqual(await tell('etcd', runEtcdctl));
  },
);

test.skipIf(!keelBuilt())('keelctl and etcd3 the same', { timeout: 60_000 }, async () => {
  const ours = await tell('keel', runKeelctl);
  // What is said of etcdctl's own is in its own words.
  const plain = ours.filter(
    (text) => !/^(nobody|root|alice|bob)/.test(text) || / 0 \||: 0|permission denied/.test(text),
  );
  expect(plain.length).toBeGreaterThan(50);
  for (const want of ['alice  put app/1 by certificate: 0 | OK', 'bob  put app/2 without a password: 0 | OK']) {
    expect(ours).toContain(want);
  }
});
