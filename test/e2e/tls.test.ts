import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { Etcd3 } from 'etcd3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KeelClient } from '../../src/client/index.js';
import type { RunningMember, TlsOptions } from '../../src/index.js';
import { etcdctlBinary } from '../support/binaries.js';
import type { CertFiles } from '../support/certificates.js';
import { Authority } from '../support/certificates.js';
import { runEtcdctl, runKeelctl } from '../support/ctl.js';
import { TlsBench } from '../support/tls-bench.js';

// Everything that a client sees of TLS, over real members on the loopback.
let ca: Authority;
let server: CertFiles;
let root: CertFiles;
let alice: CertFiles;
let bench: TlsBench;

beforeAll(() => {
  ca = Authority.make();
  server = ca.issue('server', { commonName: 'server', hosts: ['127.0.0.1', 'localhost'] });
  root = ca.issue('root', { commonName: 'root' });
  alice = ca.issue('alice', { commonName: 'alice' });
});
afterAll(() => ca.remove());

beforeEach(() => {
  bench = new TlsBench();
});
afterEach(() => bench.dispose());

/** A member alone that asks for certificates. */
async function startMutual(more: TlsOptions = {}): Promise<RunningMember> {
  const clientTls = { certFile: server.cert, keyFile: server.key, trustedCaFile: ca.caFile, ...more };
  const member = await bench.start({ clientTls: { clientCertAuth: true, ...clientTls } });
  await member.ready;
  return member;
}

const tlsArgs = (files: CertFiles | null, caFile = ca.caFile): string[] => [
  `--cacert=${caFile}`,
  ...(files === null ? [] : [`--cert=${files.cert}`, `--key=${files.key}`]),
];

const endpoint = (member: RunningMember): string => `--endpoints=${member.clientUrls[0]}`;

function keelctl(member: RunningMember, files: CertFiles | null, ...args: string[]) {
  return runKeelctl({ args: [endpoint(member), ...tlsArgs(files), ...args] });
}

const pems = (files: CertFiles | null) => ({
  ca: readFileSync(ca.caFile),
  ...(files === null ? {} : { cert: readFileSync(files.cert), key: readFileSync(files.key) }),
});

/** A request over HTTP/1.1. */
function get(url: string, files: CertFiles | null, more: https.RequestOptions = {}): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { ...pems(files), agent: false, ...more }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve([response.statusCode ?? 0, text]));
    });
    request.on('error', reject);
  });
}

/** Handshakes, writes, and waits for the end: what the other side's refusal looks like. */
function knock(url: string, options: tls.ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const ALPNProtocols = ['http/1.1'];
    const socket = tls.connect({
      host: hostname,
      port: Number(port),
      ca: readFileSync(ca.caFile),
      ALPNProtocols,
      ...options,
    });
    let text = '';
    socket.on('secureConnect', () => socket.write('GET /health HTTP/1.0\r\n\r\n'));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', (err: NodeJS.ErrnoException) => resolve(err.code ?? err.message));
    socket.on('close', () => resolve(text === '' ? 'closed' : (text.split('\r\n')[0] as string)));
  });
}

/** A TCP connection that sends bytes of no TLS. */
async function sendPlain(url: string, bytes: string): Promise<void> {
  const { connect } = await import('node:net');
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => socket.write(bytes));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.on('close', resolve));
}

describe('mutual TLS', () => {
  test('keelctl, the TypeScript client, npm etcd3 and the gateway, by ALPN, over one port', async () => {
    const member = await startMutual();
    const url = member.clientUrls[0] as string;
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await keelctl(member, root, 'put', 'a', 'one')).toEqual({ code: 0, out: 'OK\n', err: '' });

    const client = new KeelClient({ endpoints: url, tls: pems(alice) });
    expect((await client.get('a')).kvs[0]?.value.toString()).toBe('one');
    await client.close();

    const { ca: rootCertificate, cert: certChain, key: privateKey } = pems(alice);
    const etcd3 = new Etcd3({
      hosts: url,
      credentials: { rootCertificate, certChain: certChain as Buffer, privateKey: privateKey as Buffer },
    });
    await etcd3.put('b').value('two');
    expect(await etcd3.get('a').string()).toBe('one');
    etcd3.close();

    // HTTP/1.1 by ALPN, and by a client that knows no ALPN.
    expect(await get(`${url}/health`, alice)).toEqual([200, '{"health":"true","reason":""}']);
    expect(await knock(url, { ...pems(alice), ALPNProtocols: [] })).toBe('HTTP/1.1 200 OK');
    // HTTP/2 that is no gRPC.
    const session = http2.connect(url, pems(alice));
    const stream = session.request({ ':path': '/version' });
    let status = 0;
    let body = '';
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
    });
    for await (const chunk of stream) body += chunk;
    session.close();
    expect(status).toBe(200);
    expect(JSON.parse(body)).toHaveProperty('etcdserver');
    expect(bench.refusals()).toEqual([]);
    expect(bench.log.map((line) => line.msg)).toContain('serving client traffic securely');
  });

  test.skipIf(etcdctlBinary() === undefined)('the real etcdctl (skipped without one)', async () => {
    const member = await startMutual();
    const real = (files: CertFiles | null, ...args: string[]) =>
      runEtcdctl({ args: [endpoint(member), ...tlsArgs(files), ...args] });
    expect(await real(root, 'put', 'a', 'b')).toEqual({ code: 0, out: 'OK\n', err: '' });
    expect((await real(root, 'get', 'a')).out).toBe('a\nb\n');
    expect((await real(root, 'endpoint', 'health')).out).toContain('is healthy');
    const nobody = await real(null, '--command-timeout=1s', 'get', 'a');
    expect(nobody.code).toBe(1);
    expect(nobody.err).toContain('Error: context deadline exceeded');
    await bench.until(() => bench.refusals().includes("tls: client didn't provide a certificate"));
  });

  test('the common name is the user; without --client-cert-auth it is nobody', async () => {
    const member = await startMutual();
    for (const args of [
      ['user', 'add', 'root', '--no-password'],
      ['user', 'add', 'alice', '--no-password'],
      ['role', 'add', 'app'],
      ['role', 'grant-permission', 'app', 'readwrite', 'app/', '--prefix'],
      ['user', 'grant-role', 'alice', 'app'],
      ['user', 'grant-role', 'root', 'root'],
      ['auth', 'enable'],
    ]) {
      expect(await keelctl(member, root, ...args)).toMatchObject({ code: 0 });
    }
    expect((await keelctl(member, alice, 'put', 'app/x', '1')).out).toBe('OK\n');
    expect((await keelctl(member, alice, 'put', 'other', '1')).err).toContain('etcdserver: permission denied');
    const watch = await keelctl(member, alice, 'lease', 'grant', '100');
    expect(watch.code).toBe(0);
    expect((await keelctl(member, root, 'user', 'list')).out).toBe('alice\nroot\n');
    // Through the gateway a certificate's name is nobody's.
    expect(await get(`${member.clientUrls[0]}/v3/kv/range`, alice, { method: 'POST' })).toEqual([
      400,
      'CommonName of client sending a request against gateway will be ignored and not used as expected\n',
    ]);
    const bob = ca.issue('bob', { commonName: 'bob' });
    expect((await keelctl(member, bob, 'put', 'app/x', '1')).code).not.toBe(0);
    await member.stop();

    const again = await bench.start({
      clientTls: { certFile: server.cert, keyFile: server.key, trustedCaFile: ca.caFile },
    });
    await again.ready;
    expect((await keelctl(again, alice, 'put', 'app/x', '1')).err).toContain('etcdserver: user name is empty');
  });
});

describe('the words of keelctl, which are those of etcdctl', () => {
  const cases: [string, () => string[], string][] = [
    ['no such file', () => ['--cacert=nowhere.pem'], 'open nowhere.pem: no such file or directory'],
    ['a folder', () => [`--cacert=${tmpdir()}`], `read ${tmpdir()}: is a directory`],
    ['no key', () => [`--cert=${root.cert}`], 'KeyFile and CertFile must both be present[key: , cert: <dir>/root.pem]'],
    [
      'no certificate',
      () => [`--key=${root.key}`],
      'KeyFile and CertFile must both be present[key: <dir>/root.key, cert: ]',
    ],
    ['an empty name', () => ['--cert='], 'empty string is passed to --cert option'],
    [
      'the key of another',
      () => [`--cert=${root.cert}`, `--key=${alice.key}`],
      'tls: private key does not match public key',
    ],
    [
      'a key for a certificate',
      () => [`--cert=${root.key}`, `--key=${root.key}`],
      'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
    ],
    [
      'a certificate for a key',
      () => [`--cert=${root.cert}`, `--key=${root.cert}`],
      'tls: found a certificate rather than a key in the PEM for the private key',
    ],
    ['an authority that did not sign', () => [`--cacert=${alice.cert}`], 'context deadline exceeded'],
    ['verification skipped, but TLS not asked for', () => ['--insecure-skip-tls-verify'], 'context deadline exceeded'],
  ];

  let own: TlsBench;
  let member: RunningMember;
  beforeAll(async () => {
    own = new TlsBench();
    member = await own.start({ clientTls: { certFile: server.cert, keyFile: server.key } });
    await member.ready;
  });
  afterAll(() => own.dispose());

  test.each(cases)('%s', async (_, given, text) => {
    const args = [endpoint(member), '--command-timeout=500ms', '--dial-timeout=500ms', ...given(), 'get', 'a'];
    const runs = [runKeelctl, ...(etcdctlBinary() === undefined ? [] : [runEtcdctl])];
    const code = text === 'context deadline exceeded' ? 1 : 128;
    for (const run of runs) {
      const result = await run({ args });
      expect(result.err.replaceAll(ca.dir, '<dir>').trimEnd().split('\n').at(-1)).toBe(`Error: ${text}`);
      expect(result.code).toBe(code);
    }
  });

  test('TLS that is asked for is spoken, whatever the endpoint leaves open', async () => {
    const host = (member.clientUrls[0] as string).replace('https://', '');
    const skip = ['--insecure-skip-tls-verify', '--insecure-transport=false'];
    for (const how of [[`--cacert=${ca.caFile}`], skip]) {
      expect((await runKeelctl({ args: [`--endpoints=${host}`, ...how, 'put', 'a', 'b'] })).out).toBe('OK\n');
    }
  });
});

describe('who is refused', () => {
  test('no certificate, a stranger, one that has expired, plain HTTP', async () => {
    const member = await startMutual();
    const url = member.clientUrls[0] as string;
    const others = Authority.make('another ca', join(ca.dir, 'other'));
    const stranger = others.issue('stranger', { commonName: 'root' });
    const expired = ca.issue('expired', { commonName: 'root', notAfter: Date.now() - 1000 });
    const serving = ca.issue('serving', { commonName: 'root', usages: ['server'] });

    expect(await knock(url, {})).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
    await bench.until(() => bench.refusals().length === 1);
    const read = ({ cert, key }: CertFiles) => ({ cert: readFileSync(cert), key: readFileSync(key) });
    for (const [i, files] of [stranger, expired, serving].entries()) {
      expect(await knock(url, read(files))).toMatch(/^closed|ECONNRESET|EPIPE$/);
      await bench.until(() => bench.refusals().length === i + 2);
    }
    await sendPlain(url, 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
    await bench.until(() => bench.refusals().length === 5);
    const failed = 'tls: failed to verify certificate: x509:';
    expect(bench.refusals()).toEqual([
      "tls: client didn't provide a certificate",
      `${failed} certificate signed by unknown authority`,
      `${failed} certificate has expired or is not yet valid`,
      `${failed} certificate specifies an incompatible key usage`,
      'tls: first record does not look like a TLS handshake',
    ]);
    for (const { msg, fields } of bench.log) {
      if (msg.startsWith('rejected')) expect(fields['remote-addr']).toMatch(/^127\.0\.0\.1:\d+$/);
    }
    expect((await keelctl(member, root, 'put', 'still', 'there')).out).toBe('OK\n');
  });

  test('a revoked certificate, from the moment that the list names it', async () => {
    const crlFile = ca.revoke('crl.der', []);
    const member = await startMutual({ crlFile });
    const url = member.clientUrls[0] as string;
    expect((await get(`${url}/health`, alice))[0]).toBe(200);
    for (const form of ['der', 'pem'] as const) {
      bench.log.length = 0;
      ca.revoke('crl.der', [readFileSync(alice.cert, 'utf8')], form);
      await expect(get(`${url}/health`, alice)).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);
      await bench.until(() => bench.refusals().length === 1);
      expect(bench.refusals()[0]).toMatch(/^transport: certificate serial [0-9a-f]{32} revoked$/);
      expect((await get(`${url}/health`, root))[0]).toBe(200);
    }
    // Nobody can say who is revoked: nobody comes in.
    writeFileSync(crlFile, 'nonsense');
    await expect(get(`${url}/health`, root)).rejects.toThrow();
    await bench.until(() => bench.refusals().length === 2);
    expect(bench.refusals()[1]).toMatch(/^asn1: |^x509: malformed crl/);
  });

  test('a certificate that is good for no allowed host', async () => {
    const member = await startMutual({ allowedHostnames: ['app.example.com', '10.1.2.3'] });
    const url = member.clientUrls[0] as string;
    const files = [['*.example.com'], ['10.1.2.3'], ['other.example.org', '10.1.2.4']].map((hosts, i) =>
      ca.issue(`host${i}`, { commonName: 'app.example.com', hosts }),
    );
    expect((await get(`${url}/health`, files[0] as CertFiles))[0]).toBe(200);
    expect((await get(`${url}/health`, files[1] as CertFiles))[0]).toBe(200);
    await expect(get(`${url}/health`, files[2] as CertFiles)).rejects.toThrow();
    await bench.until(() => bench.refusals().length === 1);
    expect(bench.log.find(({ msg }) => msg.startsWith('rejected'))?.fields).toMatchObject({
      'ip-addresses': ['10.1.2.4'],
      'dns-names': ['other.example.org'],
      error: 'client certificate authentication failed',
    });
    // A client may come from anywhere, whatever its certificate names; that is asked of peers alone.
  });

  test('an older TLS, and another cipher, than is allowed', async () => {
    const member = await startMutual({ minVersion: 'TLSv1.3' });
    const url = member.clientUrls[0] as string;
    expect(await knock(url, { ...pems(alice), maxVersion: 'TLSv1.2' })).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    expect(await knock(url, pems(alice))).toBe('HTTP/1.1 200 OK');
    const some = await bench.start(
      {
        clientTls: {
          certFile: server.cert,
          keyFile: server.key,
          ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
          maxVersion: 'TLSv1.2',
        },
      },
      'some',
    );
    await some.ready;
    const other = some.clientUrls[0] as string;
    expect(await knock(other, { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toMatch(/HANDSHAKE_FAILURE/);
    expect(await knock(other, {})).toBe('HTTP/1.1 200 OK');
  });

  test.each<[string, TlsOptions, string]>([
    [
      'no certificate',
      {},
      'TLS key/cert (--cert-file, --key-file) must be provided for client url https://127.0.0.1:0',
    ],
    ['no key', { certFile: 'c' }, 'KeyFile and CertFile must both be present[key: , cert: c]'],
    ['no such file', { certFile: 'nowhere', keyFile: 'k' }, 'open nowhere: no such file or directory'],
    [
      'both restrictions',
      { certFile: 'c', keyFile: 'k', allowedCns: ['a'], allowedHostnames: ['b'] },
      'AllowedCNs and AllowedHostnames are mutually exclusive (cns=["a"], hostnames=["b"])',
    ],
    ['a year of none', { auto: true, autoYears: 0 }, 'selfSignedCertValidity is invalid,it should be greater than 0'],
  ])('a start with %s', async (_, clientTls, message) => {
    await expect(bench.start({ clientTls })).rejects.toThrow(message);
    expect(existsSync(join(bench.dir, 'data'))).toBe(false);
  });

  test('a start with the key of another certificate', async () => {
    const refused = bench.start({ clientTls: { certFile: server.cert, keyFile: alice.key } });
    await expect(refused).rejects.toThrow('tls: private key does not match public key');
  });
});

describe('certificates come and go', () => {
  test('a new certificate is shown from the next handshake on; open connections stay', async () => {
    const files = ca.issue('rotated', { commonName: 'first', hosts: ['127.0.0.1'] });
    const member = await bench.start({ clientTls: { certFile: files.cert, keyFile: files.key } });
    await member.ready;
    const url = member.clientUrls[0] as string;
    const shown = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = tls.connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca: pems(null).ca }, () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        });
        socket.on('error', reject);
      });
    expect(await shown()).toBe('first');
    const client = new KeelClient({ endpoints: url, tls: pems(null) });
    await client.put('k', '1');
    ca.issue('rotated', { commonName: 'second', hosts: ['127.0.0.1'] });
    expect(await shown()).toBe('second');
    await client.put('k', '2');
    await client.close();
    // Half of a rotation: what was there before stays.
    writeFileSync(files.key, readFileSync(alice.key));
    expect(await shown()).toBe('second');
    const kept = bench.log.find(({ msg }) => msg.startsWith('failed to load changed TLS files'));
    expect(kept?.fields.error).toBe('tls: private key does not match public key');
    ca.issue('rotated', { commonName: 'third', hosts: ['127.0.0.1'] });
    expect(await shown()).toBe('third');
  });

  test('--auto-tls makes a certificate once, and keeps it', async () => {
    const first = await bench.start({ clientTls: { auto: true, autoYears: 2 } });
    await first.ready;
    const folder = join(bench.dir, 'data', 'fixtures', 'client');
    const cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
    expect(statSync(join(folder, 'key.pem')).mode & 0o777).toBe(0o600);
    const shown = await get(`${first.clientUrls[0]}/health`, null, { ca: cert });
    expect(shown[0]).toBe(200);
    const args = [endpoint(first), '--insecure-skip-tls-verify', '--insecure-transport=false', 'put', 'a', 'b'];
    expect((await runKeelctl({ args })).out).toBe('OK\n');
    await first.stop();
    const again = await bench.start({ clientTls: { auto: true } });
    await again.ready;
    expect(readFileSync(join(folder, 'cert.pem'), 'utf8')).toBe(cert);
  });
});

describe('where it listens', () => {
  test('gRPC alone at the client URLs, HTTP and metrics at their own', async () => {
    const clientTls = { certFile: server.cert, keyFile: server.key };
    const member = await bench.start({
      listenClientUrls: ['https://127.0.0.1:0', 'http://127.0.0.1:0'],
      listenClientHttpUrls: ['https://127.0.0.1:0', 'http://127.0.0.1:0'],
      listenMetricsUrls: ['https://127.0.0.1:0', 'http://127.0.0.1:0'],
      clientTls,
    });
    await member.ready;
    for (const url of member.clientUrls) {
      const client = new KeelClient({ endpoints: url, tls: pems(null) });
      await client.put('a', url);
      await client.close();
    }
    const [grpcs, grpc] = member.clientUrls as [string, string];
    const [https, http] = member.clientHttpUrls as [string, string];
    const [metricss, metrics] = member.metricsUrls as [string, string];
    await expect(get(`${grpcs}/health`, null)).rejects.toThrow();
    await expect(fetch(`${grpc}/health`)).rejects.toThrow();
    expect((await get(`${https}/version`, null))[0]).toBe(200);
    expect((await fetch(`${http}/version`)).status).toBe(200);
    for (const path of ['/metrics', '/health', '/livez', '/readyz?verbose', '/readyz/linearizable_read']) {
      expect((await get(`${metricss}${path}`, null))[0]).toBe(200);
      expect((await fetch(`${metrics}${path}`)).status).toBe(200);
    }
    expect(await get(`${metricss}/version`, null)).toEqual([404, '404 page not found\n']);
    expect((await fetch(`${metrics}/v3/kv/range`, { method: 'POST', body: '{}' })).status).toBe(404);
    const lost = new KeelClient({ endpoints: http, requestTimeoutMs: 500 });
    await expect(lost.get('a')).rejects.toThrow();
    await lost.close();
    const warned = bench.log.filter(({ msg }) => msg.startsWith('scheme is http or unix while key and cert files'));
    expect(warned.map(({ fields }) => fields['client-url'])).toEqual(['http://127.0.0.1:0', 'http://127.0.0.1:0']);
  });

  test('metrics over TLS want the clients’ certificate', async () => {
    await expect(
      bench.start({ listenClientUrls: ['http://127.0.0.1:0'], listenMetricsUrls: ['https://127.0.0.1:0'] }),
    ).rejects.toThrow('client TLS key/cert (--cert-file, --key-file) must be provided for metrics secure url');
  });

  test('a socket file, with and without TLS', async () => {
    const paths = ['plain', 'secure'].map((name) => join(bench.dir, `${name}.sock`)) as [string, string];
    const member = await bench.start({
      listenClientUrls: [`unix://${paths[0]}`, `unixs://${paths[1]}`],
      clientTls: { certFile: server.cert, keyFile: server.key },
    });
    await member.ready;
    expect(member.clientUrls).toEqual([`unix://${paths[0]}`, `unixs://${paths[1]}`]);
    const plain = await runKeelctl({ args: [`--endpoints=unix://${paths[0]}`, 'put', 'a', 'b'] });
    expect(plain).toEqual({ code: 0, out: 'OK\n', err: '' });
    const secure = await runKeelctl({ args: [`--endpoints=unixs://${paths[1]}`, `--cacert=${ca.caFile}`, 'get', 'a'] });
    expect(secure).toEqual({ code: 0, out: 'a\nb\n', err: '' });
    if (etcdctlBinary() !== undefined) {
      // It takes the file's name for the server's.
      const skip = ['--insecure-skip-tls-verify', '--insecure-transport=false'];
      const real = await runEtcdctl({ args: [`--endpoints=unixs://${paths[1]}`, ...skip, 'get', 'a'] });
      expect(real).toMatchObject({ code: 0, out: 'a\nb\n' });
    }
  });
});
