import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { KeelClient } from '../../src/client/index.js';
import type { RunningMember, TlsOptions } from '../../src/index.js';
import { Authority } from '../support/certificates.js';
import { freePorts } from '../support/ports.js';
import { TlsBench } from '../support/tls-bench.js';

// TLS between members.
let ca: Authority;
let bench: TlsBench;

beforeAll(() => {
  ca = Authority.make();
});
afterAll(() => ca.remove());
beforeEach(() => {
  bench = new TlsBench();
});
afterEach(() => bench.dispose());

/** Starts members in this process, each with its own TLS; does not wait for them. */
async function members(tlsOf: (name: string) => TlsOptions, names = ['a', 'b', 'c']): Promise<RunningMember[]> {
  const ports = await freePorts(names.length);
  const urls = ports.map((port) => `https://127.0.0.1:${port}`);
  const initialCluster = names.map((name, i) => ({ name, peerUrls: [urls[i] as string] }));
  return Promise.all(
    names.map((name, i) =>
      bench.start(
        {
          listenClientUrls: ['http://127.0.0.1:0'],
          peerTls: tlsOf(name),
          config: { name, initialCluster, listenPeerUrls: [urls[i] as string], electionMs: 400, heartbeatMs: 40 },
        },
        name,
      ),
    ),
  );
}

const peer = (file: string, spec: Parameters<Authority['issue']>[1]): TlsOptions => {
  const { cert, key } = ca.issue(file, spec);
  return { certFile: cert, keyFile: key, trustedCaFile: ca.caFile, clientCertAuth: true };
};

test('three members with certificates', async () => {
  const all = await members((name) => ({
    ...peer(`peer-${name}`, { commonName: 'member', hosts: ['127.0.0.1'] }),
    allowedCns: ['member'],
  }));
  await Promise.all(all.map((member) => member.ready));
  const client = new KeelClient({ endpoints: all.map((member) => member.clientUrls[0] as string) });
  // More than a turn's writes, so that back-pressure of TLS is met.
  await Promise.all(Array.from({ length: 40 }, (_, i) => client.put(`k${i}`, Buffer.alloc(100_000, i))));
  for (const member of all) {
    const one = new KeelClient({ endpoints: member.clientUrls[0] as string });
    expect((await one.get('k39')).kvs[0]?.value.length).toBe(100_000);
    await one.close();
  }
  await client.close();
  expect(bench.refusals('peer')).toEqual([]);
  expect(bench.log.filter(({ level }) => level === 'error')).toEqual([]);
});

test('--peer-auto-tls', async () => {
  const all = await members(() => ({ auto: true }));
  await Promise.all(all.map((member) => member.ready));
  expect(existsSync(join(bench.dir, 'a', 'fixtures', 'peer', 'cert.pem'))).toBe(true);
});

const HERE = { commonName: 'member', hosts: ['127.0.0.1'] };

/** Who is not let in, and the cause that the others log. */
const outsiders: [string, () => TlsOptions, RegExp][] = [
  ['of another name', () => peer('x', { ...HERE, commonName: 'else' }), /^client certificate authentication failed$/],
  [
    'of another authority',
    () => {
      const { cert, key } = Authority.make('another ca', join(ca.dir, 'other')).issue('x', HERE);
      return { certFile: cert, keyFile: key, trustedCaFile: ca.caFile, clientCertAuth: true };
    },
    /x509: certificate signed by unknown authority$/,
  ],
  [
    'from another place',
    () => peer('x', { ...HERE, hosts: ['10.9.8.7'] }),
    /^x509: certificate is valid for 10\.9\.8\.7, not 127\.0\.0\.1$/,
  ],
  ['that is revoked', () => peer('x', HERE), /^transport: certificate serial [0-9a-f]+ revoked$/],
];

test.each(outsiders)('a member %s stays outside', async (what, tlsOf, why) => {
  const bad = tlsOf();
  const revoked = what === 'that is revoked' ? [readFileSync(bad.certFile as string, 'utf8')] : [];
  const crlFile = ca.revoke('peer.crl', revoked);
  const good = (name: string): TlsOptions => ({ ...peer(`peer-${name}`, HERE), allowedCns: ['member'], crlFile });
  const [a, b, x] = (await members((name) => (name === 'x' ? bad : good(name)), ['a', 'b', 'x'])) as [
    RunningMember,
    RunningMember,
    RunningMember,
  ];
  await Promise.all([a.ready, b.ready]);
  await bench.until(() => bench.refusals('peer').some((error) => why.test(String(error))));
  // Nobody speaks to it either.
  const id = x.member.memberId.toString(16);
  await bench.until(() =>
    bench.log.some(({ msg, fields }) => msg.startsWith('lost or could not') && fields['remote-peer-id'] === id),
  );
  expect(
    [a, b].map(({ member }) => member.figures().peers.find((one) => one.id === x.member.memberId)?.active),
  ).toEqual([false, false]);
  const isReady = x.ready.then(
    () => true,
    () => false,
  );
  expect(await Promise.race([isReady, new Promise((done) => setTimeout(done, 50, 'waiting'))])).toBe('waiting');
});

test('a start with https and no certificate', async () => {
  const [port] = await freePorts(1);
  const config = { listenPeerUrls: [`https://127.0.0.1:${port}`] };
  await expect(bench.start({ config })).rejects.toThrow(
    `cannot listen on TLS for 127.0.0.1:${port}: KeyFile and CertFile are not presented`,
  );
});

test('a stop waits for nobody who has not shaken hands', async () => {
  const [member] = await members((name) => peer(`peer-${name}`, { commonName: 'member', hosts: ['127.0.0.1'] }), ['a']);
  await member?.ready;
  const { hostname, port } = new URL(member?.peerUrls[0] as string);
  const sockets = Array.from({ length: 3 }, () => connect(Number(port), hostname));
  const closed = Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve) => {
          socket.on('error', () => {});
          socket.on('close', resolve);
        }),
    ),
  );
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on('connect', resolve))));
  sockets[0]?.write(Buffer.from('160301', 'hex'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(sockets.every((socket) => !socket.closed)).toBe(true);
  const began = Date.now();
  await member?.stop();
  await closed;
  expect(Date.now() - began).toBeLessThan(5000);
});
