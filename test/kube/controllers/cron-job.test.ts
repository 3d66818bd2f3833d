import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCronJobs } from '../../../src/kube/controllers/cron-job/index.js';
import { CRON_JOBS, EVENTS, JOBS } from '../../../src/kube/kit/index.js';
import { parseSchedule } from '../../../src/kube/machinery/cron/schedule.js';
import { wallText } from '../../../src/kube/machinery/cron/wall-clock.js';
import { KubeWorld } from '../../support/kube-world.js';
import { SkipClock } from '../../support/skip-clock.js';
import { kubectlBinary } from '../support/kubectl.js';

const at = (text: string) => Date.parse(text);

describe('schedules', () => {
  test.each<[string, string | undefined, string, string[]]>([
    ['*/15 * * * *', 'UTC', '2026-01-01T00:07:30Z', ['2026-01-01T00:15Z', '2026-01-01T00:30Z']],
    ['0 12 * * mon-fri', 'UTC', '2026-01-02T13:00:00Z', ['2026-01-05T12:00Z', '2026-01-06T12:00Z']],
    ['5,50 1-3/2 * * *', 'UTC', '2026-01-01T01:05:00Z', ['2026-01-01T01:50Z', '2026-01-01T03:05Z']],
    // A date or a day, since both are told.
    ['0 0 13 * fri', 'UTC', '2026-01-10T00:00:00Z', ['2026-01-13T00:00Z', '2026-01-16T00:00Z']],
    // A date and any day.
    ['0 0 29 feb *', 'UTC', '2026-01-10T00:00:00Z', ['2028-02-29T00:00Z']],
    ['@monthly', 'UTC', '2026-01-01T00:00:00Z', ['2026-02-01T00:00Z', '2026-03-01T00:00Z']],
    ['@every 1h30m', 'UTC', '2026-01-01T00:00:00.500Z', ['2026-01-01T01:30Z', '2026-01-01T03:00Z']],
    ['30 9 * * *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', ['2026-01-01T04:00Z', '2026-01-02T04:00Z']],
    // Half past two is left out on 29 March, and comes twice on 25 October.
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', ['2026-03-30T00:30Z']],
    [
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00:00Z',
      ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-26T01:30Z'],
    ],
    // Where the day begins at one.
    ['0 0 * * *', 'America/Asuncion', '2023-09-30T12:00:00Z', ['2023-10-02T03:00Z']],
    ['0 5 * * *', 'America/Asuncion', '2023-09-30T12:00:00Z', ['2023-10-01T08:00Z']],
    ['0 0 30 2 *', 'UTC', '2026-01-01T00:00:00Z', []],
  ])('%s in %s', (text, zone, from, expected) => {
    const times = parseSchedule(text, zone);
    let last = at(from);
    for (const wanted of expected) {
      const next = times.next(last);
      expect(new Date(next!).toISOString()).toBe(new Date(at(wanted)).toISOString());
      last = next!;
    }
    if (expected.length === 0) expect(times.next(last)).toBeUndefined();
  });

  test('the last time before now, found without counting all of them', () => {
    const often = parseSchedule('* * * * *', 'UTC');
    expect(often.latest(at('2016-01-01T00:00:00Z'), at('2026-01-01T00:00:59Z'))).toBe(at('2026-01-01T00:00:00Z'));
    expect(often.latest(at('2026-01-01T00:00:00Z'), at('2026-01-01T00:00:59Z'))).toBeUndefined();
    const seldom = parseSchedule('0 0 1 1 *', 'UTC');
    expect(seldom.latest(at('2016-06-01T00:00:00Z'), at('2026-06-01T00:00:00Z'))).toBe(at('2026-01-01T00:00:00Z'));
    expect(parseSchedule('@every 10m').latest(0, 35 * 60_000)).toBe(30 * 60_000);
  });

  test('what is none', () => {
    for (const text of [
      '',
      '* * * *',
      '60 * * * *',
      '5-1 * * * *',
      '*/0 * * * *',
      '@often',
      '@every x',
      '1-2-3 * * * *',
    ]) {
      expect(() => parseSchedule(text), text).toThrow();
    }
  });

  test('a time as the wall has it', () => {
    expect(wallText(at('2026-07-01T00:00:00Z'), 'Europe/Berlin')).toBe('2026-07-01T02:00:00+02:00');
    expect(wallText(at('2026-07-01T00:00:00Z'), 'America/St_Johns')).toBe('2026-06-30T21:30:00-02:30');
    expect(wallText(at('2026-07-01T00:00:00Z'), 'UTC')).toBe('2026-07-01T00:00:00Z');
  });
});

describe('over the API', () => {
  let world: KubeWorld;
  const clock = new SkipClock();
  beforeAll(async () => {
    world = await KubeWorld.start([startCronJobs], { clock });
  });
  afterAll(() => world?.stop());

  const make = (name: string, spec: object = {}) => {
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } };
    const jobTemplate = { metadata: { labels: { of: name } }, spec: { template } };
    const metadata = { name, namespace: 'default' };
    const all = { schedule: '* * * * *', jobTemplate, ...spec };
    return world.create(CRON_JOBS, { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec: all });
  };
  const jobsOf = (name: string) => world.list(JOBS, 'default', `of=${name}`);
  const count = (name: string, jobs: number) =>
    world.until(`${jobs} jobs of ${name}`, async () => {
      const found = await jobsOf(name);
      return found.length === jobs && found;
    });
  const minute = () => clock.skip(60_000);
  const end = async (name: string, type = 'Complete') => {
    for (const job of await jobsOf(name)) {
      if (job.status?.conditions !== undefined) continue;
      const time = new Date(clock.now()).toISOString().replace(/\.\d+/, '');
      const interim = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
      const conditions = [interim, type].map((each) => ({ type: each, status: 'True', lastTransitionTime: time }));
      const more = type === 'Complete' ? { completionTime: time } : {};
      await world.setStatus(JOBS, 'default', job.metadata.name!, { startTime: time, conditions, ...more });
    }
  };
  const reasons = async (name: string) =>
    (await world.list(EVENTS, 'default')).filter((e) => e.involvedObject.name === name).map((e) => e.reason);
  const said = (name: string, reason: string) =>
    world.until(reason, async () => (await reasons(name)).includes(reason));
  const active = async (name: string) =>
    ((await world.get(CRON_JOBS, 'default', name))?.status?.active ?? []).map((ref: any) => ref.name);
  const stop = (name: string) => world.client.resource(CRON_JOBS).delete('default', name);

  test('a Job each minute, its end, and no more of them than are to be kept', async () => {
    const cron = await make('c', { successfulJobsHistoryLimit: 1 });
    minute();
    const [job] = await count('c', 1);
    expect(job?.metadata.name).toMatch(/^c-\d{8}$/);
    expect(job?.metadata.ownerReferences).toMatchObject([
      { kind: 'CronJob', uid: cron.metadata.uid, controller: true },
    ]);
    expect(job?.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']).toMatch(/^\d{4}-/);
    await world.until('it to be listed', async () => (await active('c')).join() === job?.metadata.name);
    const { status } = (await world.get(CRON_JOBS, 'default', 'c'))!;
    expect(Date.parse(status.lastScheduleTime) / 60_000).toBe(Number(job?.metadata.name?.slice(2)));
    if (kubectlBinary !== undefined)
      expect(await world.kubectl().run('get cj c')).toMatch(/\* \* \* \* \* +<none> +False +1/);
    await end('c');
    await world.until('its end', async () => (await active('c')).length === 0);
    await said('c', 'SawCompletedJob');
    minute();
    await count('c', 2);
    await end('c');
    await count('c', 1);
    expect((await world.get(CRON_JOBS, 'default', 'c'))?.status.lastSuccessfulTime).toBeDefined();
    await stop('c');
  });

  test('policies: forbid, replace, suspend', async () => {
    await make('no', { concurrencyPolicy: 'Forbid' });
    await make('re', { concurrencyPolicy: 'Replace' });
    await make('off', { suspend: true });
    minute();
    await count('no', 1);
    const [first] = await count('re', 1);
    await world.until('lists', async () => (await active('no')).length + (await active('re')).length === 2);
    minute();
    await said('no', 'JobAlreadyActive');
    await world.until('another', async () => {
      const [now, ...more] = await jobsOf('re');
      return more.length === 0 && now !== undefined && now.metadata.uid !== first?.metadata.uid;
    });
    expect(await jobsOf('no')).toHaveLength(1);
    expect(await jobsOf('off')).toHaveLength(0);
    await Promise.all(['no', 're', 'off'].map(stop));
  });

  test('after a long sleep the latest time only, and it is told', async () => {
    // Suspended until the clock stands where it shall: its time is ahead of the server's already, so a Job would be due.
    await make('nap', { suspend: true });
    clock.skip(200 * 60_000);
    await world.client.resource(CRON_JOBS).patch('default', 'nap', 'merge', { spec: { suspend: false } });
    await count('nap', 1);
    await said('nap', 'TooManyMissedTimes');
    const [name] = (await jobsOf('nap')).map((job) => job.metadata.name!);
    await world.client.resource(JOBS).delete('default', name!, { propagationPolicy: 'Background' });
    await said('nap', 'MissingJob');
    await stop('nap');
  });
});
