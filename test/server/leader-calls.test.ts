import { describe, expect, test } from 'vitest';
import type { PeerReply } from '../../src/peer/index.js';
import type { ServerError } from '../../src/server/errors.js';
import { refusal, SERVER_ERROR_CODES } from '../../src/server/errors.js';
import { LeaderCalls } from '../../src/server/leader-calls.js';

/** A leader that is asked by one that does not lead; time passes when the test says so. */
class Bench {
  now = 0;
  leader = 7n;
  readonly memberId = 1n;
  asked = 0;
  answer: (reply: PeerReply) => void = () => {};
  readonly outcomes: unknown[] = [];
  readonly calls: LeaderCalls;
  #timers: { at: number; cb: () => void }[] = [];

  constructor() {
    const clock = { now: () => this.now };
    const timers = { set: (ms: number, cb: () => void) => this.#timers.push({ at: this.now + ms, cb }) };
    this.calls = new LeaderCalls(clock as never, timers as never, this);
  }

  request(_to: bigint, _kind: string, _body: unknown, _timeoutMs: number, reply: PeerReply): void {
    this.asked++;
    this.answer(reply);
  }

  ask(local: (cb: (err: ServerError | null, answer: unknown) => void) => void = () => expect.fail('asked here')): void {
    this.calls.call('lease-renew', { id: '1' }, 1000, local, (err, answer) => this.outcomes.push(err?.code ?? answer));
  }

  pass(ms: number): void {
    for (const until = this.now + ms; this.now < until; this.now++) {
      const due = this.#timers.filter(({ at }) => at <= this.now);
      this.#timers = this.#timers.filter(({ at }) => at > this.now);
      for (const { cb } of due) cb();
    }
  }
}

const says =
  (code: string, message = code) =>
  (reply: PeerReply) =>
    reply(Object.assign(new Error(message), { code }), null);

/** The next leader may answer otherwise. */
const PASSING = [
  ...['ERR_NO_LEADER', 'ERR_LEADER_CHANGED', 'ERR_NOT_LEADER', 'ERR_NOT_PRIMARY_LESSOR', 'ERR_STOPPED'],
  ...['ERR_TIMEOUT', 'ERR_TIMEOUT_LEADER_FAIL', 'ERR_TIMEOUT_CONNECTION_LOST', 'ERR_TIMEOUT_WAIT_APPLIED'],
  ...['ERR_DEADLINE', 'ERR_TOO_MANY_REQUESTS'],
];

describe('a call that the leader alone can answer', () => {
  test.each(SERVER_ERROR_CODES.filter((code) => !PASSING.includes(code)))('%s is its answer, at once', (code) => {
    const bench = new Bench();
    bench.answer = says(code);
    bench.ask();
    expect(bench.outcomes).toEqual([code]);
    bench.pass(2000);
    expect(bench.asked).toBe(1);
  });

  test.each([...PASSING, 'ERR_PEER_UNREACHABLE', 'ERR_PEER_TIMEOUT'])(
    '%s is asked again, of who leads then',
    (code) => {
      const bench = new Bench();
      bench.answer = says(code);
      bench.ask();
      bench.pass(200);
      expect(bench.outcomes).toEqual([]);
      expect(bench.asked).toBeGreaterThan(2);
      bench.answer = (reply) => reply(null, 17);
      bench.pass(100);
      expect(bench.outcomes).toEqual([17]);
    },
  );

  test('a refusal that this version does not know is said as it is', () => {
    const bench = new Bench();
    bench.answer = says('ERR_OF_TOMORROW', 'not on a Sunday');
    bench.ask();
    expect(bench.outcomes).toEqual(['ERR_INTERNAL']);
    expect(bench.asked).toBe(1);
  });

  test('when the time is over it says whether there was a leader at all', () => {
    for (const [leader, code] of [
      [7n, 'ERR_TIMEOUT'],
      [0n, 'ERR_NO_LEADER'],
    ] as const) {
      const bench = new Bench();
      bench.leader = leader;
      bench.answer = says('ERR_NOT_LEADER');
      bench.ask();
      bench.pass(2000);
      expect(bench.outcomes).toEqual([code]);
    }
  });

  test('who leads answers itself, and asks the next one when that ends meanwhile', () => {
    const bench = new Bench();
    bench.leader = bench.memberId;
    let turns = 0;
    bench.ask((cb) => {
      turns++;
      cb(refusal('ERR_NOT_LEADER'), null);
    });
    bench.leader = 7n;
    bench.answer = (reply) => reply(null, 3);
    bench.pass(100);
    expect([turns, bench.outcomes]).toEqual([1, [3]]);
    const final = new Bench();
    final.leader = final.memberId;
    final.ask((cb) => cb(refusal('ERR_LEARNER_NOT_READY'), null));
    expect(final.outcomes).toEqual(['ERR_LEARNER_NOT_READY']);
  });
});
