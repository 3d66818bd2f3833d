import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../../../src/env/tls/certificate.js';
import { bearerToken, offeredProtocols } from '../../../src/kube/authn/bearer.js';
import { CertificateAuthorities, makeAuthentication, newTokenKey, TokenKeys } from '../../../src/kube/authn/index.js';
import { TokenFile } from '../../../src/kube/authn/token-file.js';
import { FakeCluster, refused } from '../support/fake-cluster.js';

const TOKENS = `# who may
t-bob,bob,7,"dev,ops"
"t-quoted","al ""x"" ice",8
t-carol,carol,9,dev
`;

async function authentication(more: { anonymous?: boolean; proxyNames?: string[] } = {}) {
  const keys = await TokenKeys.of(newTokenKey());
  return makeAuthentication({ keys, objects: new FakeCluster(), tokenFile: TOKENS, ...more });
}

describe('the chain', () => {
  const none = { headers: {}, certificate: null };

  it('lets in who shows nothing as anonymous, if it may', async () => {
    expect(await (await authentication()).authenticate(none)).toEqual({
      username: 'system:anonymous',
      uid: '',
      groups: ['system:unauthenticated'],
      extra: {},
    });
    const closed = await authentication({ anonymous: false });
    expect(await refused(closed.authenticate(none))).toMatchObject({ code: 401, message: 'Unauthorized' });
  });

  it('knows static tokens, and refuses those that nobody knows', async () => {
    const { authenticate } = await authentication();
    const by = (authorization: string) => authenticate({ headers: { authorization }, certificate: null });
    expect(await by('Bearer t-bob')).toMatchObject({
      username: 'bob',
      uid: '7',
      groups: ['dev', 'ops', 'system:authenticated'],
    });
    expect(await by('bearer t-quoted')).toMatchObject({ username: 'al "x" ice', groups: ['system:authenticated'] });
    expect(await refused(by('Bearer t-nobody'))).toMatchObject({ code: 401, reason: 'Unauthorized' });
    expect(await refused(by('Bearer a.b.c'))).toMatchObject({ code: 401 });
    // Not a token at all: as good as nothing.
    expect(await by('Basic Ym9iOmJvYg==')).toMatchObject({ username: 'system:anonymous' });
    expect(await by('Bearer ')).toMatchObject({ username: 'system:anonymous' });
  });

  it('takes the certificate before the token', async () => {
    const { authenticate } = await authentication();
    const certificate = { commonName: 'jane', organizations: ['system:masters', 'dev'] };
    expect(await authenticate({ headers: { authorization: 'Bearer t-bob' }, certificate })).toMatchObject({
      username: 'jane',
      groups: ['system:masters', 'dev', 'system:authenticated'],
    });
  });

  it('refuses a certificate of strangers, unless a token helps', async () => {
    const { authenticate } = await authentication();
    const certificate = { commonName: 'jane', organizations: [], authority: 'none' as const };
    expect(await refused(authenticate({ headers: {}, certificate }))).toMatchObject({ code: 401 });
    const headers = { authorization: 'Bearer t-bob' };
    expect(await authenticate({ headers, certificate })).toMatchObject({ username: 'bob' });
  });

  it('believes a proxy of ours, and nobody else, what it says of its user', async () => {
    const { authenticate } = await authentication({ proxyNames: ['aggregator'] });
    const headers = {
      'x-remote-user': ['dora'],
      'x-remote-group': ['a', 'b'],
      'x-remote-extra-acme%2fScope': ['x', 'y'],
    };
    const proxy = { commonName: 'aggregator', organizations: [], authority: 'front-proxy' as const };
    expect(await authenticate({ headers, certificate: proxy })).toEqual({
      username: 'dora',
      uid: '',
      groups: ['a', 'b', 'system:authenticated'],
      extra: { 'acme/scope': ['x', 'y'] },
    });
    const other = { ...proxy, commonName: 'somebody' };
    expect(await refused(authenticate({ headers, certificate: other }))).toMatchObject({ code: 401 });
    expect(await authenticate({ headers, certificate: null })).toMatchObject({ username: 'system:anonymous' });
    const client = { commonName: 'jane', organizations: [] };
    expect(await authenticate({ headers, certificate: client })).toMatchObject({ username: 'jane' });
  });
});

describe('the token of a request', () => {
  const websocket = (protocols: string) => ({ upgrade: 'websocket', 'sec-websocket-protocol': protocols });
  const carrier = `base64url.bearer.authorization.k8s.io.${Buffer.from('t-bob').toString('base64url')}`;

  it.each([
    ['the header', { authorization: 'Bearer t-bob' }, 't-bob'],
    ['a subprotocol beside another', websocket(`v4.channel.k8s.io, ${carrier}`), 't-bob'],
    ['a subprotocol alone', websocket(carrier), ''],
    ['a subprotocol without an upgrade', { 'sec-websocket-protocol': `x, ${carrier}` }, ''],
    ['no base64url', websocket('x, base64url.bearer.authorization.k8s.io.a+b='), ''],
  ])('%s', (_name, headers, token) => {
    expect(bearerToken(headers)).toBe(token);
  });

  it('is no protocol that may be chosen', () => {
    expect(offeredProtocols(websocket(`v5.channel.k8s.io,${carrier} , v4.channel.k8s.io`))).toEqual([
      'v5.channel.k8s.io',
      'v4.channel.k8s.io',
    ]);
  });
});

describe('a token file', () => {
  it.each([
    ['t,bob', 'tokens.csv must have at least 3 columns (token, user name, user uid), found 2 in record 1'],
    ['a,b,c\nt,,7', 'tokens.csv: record 2 has no user name'],
    ['t,"bob"x,7', 'tokens.csv: a quote out of place in 2. field'],
  ])('%j is refused', (text, message) => {
    expect(() => new TokenFile(text, 'tokens.csv')).toThrow(message);
  });
});

describe('certificates of peers', () => {
  const ca = makeCertificate({ commonName: 'ca', isCa: true });
  const proxyCa = makeCertificate({ commonName: 'proxy-ca', isCa: true });
  const authorities = new CertificateAuthorities({ client: ca.cert, frontProxy: proxyCa.cert });
  const identify = (spec: Parameters<typeof makeCertificate>[0]) =>
    authorities.identify(new X509Certificate(makeCertificate(spec).cert));

  it('are told apart by who signed them', () => {
    const spec = { commonName: 'jane', organization: 'dev', usages: ['client' as const] };
    expect(identify({ ...spec, issuer: ca })).toEqual({
      commonName: 'jane',
      organizations: ['dev'],
      authority: 'client',
    });
    expect(identify({ ...spec, issuer: proxyCa })).toMatchObject({ authority: 'front-proxy' });
    const same = makeCertificate({ commonName: 'ca', isCa: true });
    expect(identify({ ...spec, issuer: same })).toMatchObject({ authority: 'none' });
    expect(identify(spec)).toMatchObject({ authority: 'none' });
  });

  it('count only in their time and for clients', () => {
    const spec = { commonName: 'jane', issuer: ca };
    expect(identify({ ...spec, notBefore: 1e12, notAfter: 1.1e12 })).toMatchObject({ authority: 'none' });
    expect(identify({ ...spec, usages: ['server'] })).toMatchObject({ authority: 'none' });
    expect(identify(spec)).toMatchObject({ authority: 'client' });
  });
});
