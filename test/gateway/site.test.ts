import { describe, expect, test } from 'vitest';
import type { HttpResponse } from '../../src/gateway/index.js';
import { Site } from '../../src/gateway/index.js';
import type { MemberApi, ServerErrorCode } from '../../src/server/index.js';
import { refusal } from '../../src/server/index.js';
import type { LogLine } from '../../src/util/log.js';
import { memoryLogger } from '../../src/util/log.js';
import { AlarmType } from '../../src/wire/index.js';
import { fakeMember } from '../rpc/support/fake.js';
import { FakeExchange } from './support/exchange.js';

interface State {
  alarms?: number[];
  hasLeader?: boolean;
  isLearner?: boolean;
  /** What a linearizable read fails with. */
  linearizable?: ServerErrorCode;
  serializable?: ServerErrorCode;
}

function memberIn(state: State): MemberApi {
  return fakeMember({
    hasLeader: state.hasLeader ?? true,
    isLearner: state.isLearner ?? false,
    alarms: () => (state.alarms ?? []).map((alarm) => ({ memberId: 7n, alarm })),
    range: (req, _ctx, done) => {
      expect(req).toMatchObject({ limit: 1, keysOnly: true });
      const failure = req.serializable ? state.serializable : state.linearizable;
      if (failure === undefined) done.ok({ revision: 1, kvs: [], more: false, count: 0 });
      else done.fail(refusal(failure));
    },
  });
}

async function ask(
  state: State,
  url: string,
  options: { method?: string; origin?: string; cors?: string[]; log?: LogLine[] } = {},
): Promise<HttpResponse & { body: string }> {
  const { method = 'GET', origin, cors, log = [] } = options;
  const site = new Site(memberIn(state), memoryLogger(log), cors === undefined ? {} : { corsOrigins: cors });
  const exchange = new FakeExchange({ method, url, headers: origin === undefined ? {} : { origin } });
  site.handle(exchange);
  const { 'Content-Length': length, ...headers } = (await exchange.done).headers;
  const { status, body } = await exchange.done;
  expect(length).toBe(String(Buffer.byteLength(body)));
  return { status, headers, body: body.toString() };
}

const CORS = {
  'Access-Control-Allow-Headers': 'accept, content-type, authorization',
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE',
  'Access-Control-Allow-Origin': '*',
};
const PLAIN = { ...CORS, 'Content-Type': 'text/plain; charset=utf-8' };
const NOSNIFF = { ...PLAIN, 'X-Content-Type-Options': 'nosniff' };
const { NOSPACE, CORRUPT } = AlarmType;

describe('/health', () => {
  test('healthy', async () => {
    expect(await ask({}, '/health')).toEqual({ status: 200, headers: PLAIN, body: '{"health":"true","reason":""}' });
  });

  test.each<[string, State, string]>([
    ['/health', { alarms: [NOSPACE] }, 'ALARM NOSPACE'],
    ['/health', { alarms: [CORRUPT], hasLeader: false }, 'ALARM CORRUPT'],
    ['/health', { alarms: [9] }, 'ALARM UNKNOWN'],
    ['/health?exclude=NOSPACE', { alarms: [NOSPACE, CORRUPT] }, 'ALARM CORRUPT'],
    ['/health', { hasLeader: false }, 'RAFT NO LEADER'],
    ['/health', { linearizable: 'ERR_TIMEOUT' }, 'RANGE ERROR:etcdserver: request timed out'],
    ['/health?serializable=true', { serializable: 'ERR_STOPPED' }, 'RANGE ERROR:etcdserver: server stopped'],
    ['/health?serializable=1', { hasLeader: false }, 'RAFT NO LEADER'],
  ])('%s %j', async (url, state, reason) => {
    const body = `{"health":"false","reason":"${reason}"}\n`;
    expect(await ask(state, url)).toEqual({ status: 503, headers: NOSNIFF, body });
  });

  test.each<[string, State]>([
    ['/health?exclude=NOSPACE', { alarms: [NOSPACE] }],
    ['/health?exclude=NOSPACE&exclude=CORRUPT', { alarms: [CORRUPT, NOSPACE] }],
    ['/health?serializable=true', { hasLeader: false, linearizable: 'ERR_TIMEOUT' }],
  ])('%s %j is healthy', async (url, state) => {
    expect((await ask(state, url)).status).toBe(200);
  });
});

describe('/livez and /readyz', () => {
  test.each<[string, State, string]>([
    ['/livez', {}, 'ok\n'],
    ['/livez?verbose', {}, '[+]serializable_read ok\nok\n'],
    ['/livez', { alarms: [NOSPACE, CORRUPT], hasLeader: false, isLearner: true }, 'ok\n'],
    ['/livez?exclude=serializable_read', { serializable: 'ERR_STOPPED' }, 'ok\n'],
    ['/readyz', { alarms: [NOSPACE] }, 'ok\n'],
    [
      '/readyz?verbose',
      {},
      '[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\n[+]non_learner ok\nok\n',
    ],
    [
      '/readyz?verbose&exclude=linearizable_read&exclude=non_learner',
      { isLearner: true, linearizable: 'ERR_TIMEOUT' },
      '[+]data_corruption ok\n[+]serializable_read ok\nok\n',
    ],
    ['/readyz/data_corruption?verbose', { linearizable: 'ERR_TIMEOUT' }, '[+]data_corruption ok\nok\n'],
  ])('%s %j', async (url, state, body) => {
    expect(await ask(state, url)).toEqual({ status: 200, headers: NOSNIFF, body });
  });

  test.each<[string, State, string]>([
    ['/livez', { serializable: 'ERR_STOPPED' }, '[-]serializable_read failed: etcdserver: server stopped\n\n'],
    [
      '/readyz',
      { alarms: [CORRUPT], isLearner: true, linearizable: 'ERR_TIMEOUT' },
      '[-]data_corruption failed: alarm activated: CORRUPT\n[+]serializable_read ok\n' +
        '[-]linearizable_read failed: etcdserver: request timed out\n[-]non_learner failed: not supported for learner\n\n',
    ],
    [
      '/readyz/linearizable_read',
      { linearizable: 'ERR_NO_LEADER' },
      '[-]linearizable_read failed: etcdserver: no leader\n\n',
    ],
  ])('%s %j fails, and says why', async (url, state, body) => {
    expect(await ask(state, url)).toEqual({ status: 503, headers: NOSNIFF, body });
  });

  test('a check that is none cannot be excluded, and is worth a warning', async () => {
    const log: LogLine[] = [];
    expect((await ask({}, '/livez?exclude=nonsense', { log })).status).toBe(200);
    expect(log).toMatchObject([{ level: 'warn', fields: { 'missing-health-checks': ['nonsense'] } }]);
    expect((await ask({}, '/readyz/nonsense')).status).toBe(404);
  });
});

describe('the rest', () => {
  test('/version', async () => {
    const body = '{"etcdserver":"3.6.14","etcdcluster":"3.6.0","storage":"3.6.0","keel":"0.1.0"}';
    expect(await ask({}, '/version')).toEqual({
      status: 200,
      headers: { ...CORS, 'Content-Type': 'application/json' },
      body,
    });
  });

  test.each(['/', '/nope', '/livez/', '/v3alpha/kv/put', '/health/x'])('%s is not found', async (url) => {
    expect(await ask({}, url)).toEqual({ status: 404, headers: NOSNIFF, body: '404 page not found\n' });
  });

  test.each(['/health', '/livez', '/readyz/non_learner', '/version'])('%s is for GET', async (url) => {
    for (const method of ['POST', 'HEAD', 'DELETE']) {
      const headers = { ...NOSNIFF, Allow: 'GET' };
      expect(await ask({}, url, { method })).toEqual({ status: 405, headers, body: 'Method Not Allowed\n' });
    }
  });

  test('without a gateway there is no /v3/', async () => {
    expect((await ask({}, '/v3/kv/put', { method: 'POST' })).status).toBe(404);
  });

  test('OPTIONS and origins', async () => {
    expect(await ask({}, '/v3/kv/put', { method: 'OPTIONS' })).toEqual({ status: 200, headers: CORS, body: '' });
    const cors = ['http://a.example'];
    const from = async (origin: string) =>
      (await ask({}, '/version', { cors, origin })).headers['Access-Control-Allow-Origin'];
    expect(await from('http://a.example')).toBe('http://a.example');
    expect(await from('http://b.example')).toBeUndefined();
  });
});
