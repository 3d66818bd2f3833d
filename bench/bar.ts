import type { Figures } from './figures.js';
import type { Report } from './report.js';

/** One line of what is to be reached, as a ratio to etcd in the same run. */
interface Bar {
  work: string;
  /** Of the round that tells. */
  round: RegExp;
  of: 'rate' | 'cpu' | 'p99' | 'amount';
  /** `least`: the ratio is to be at least this; `most`: at most. */
  bound: 'least' | 'most';
  limit: number;
  aim?: number;
}

const BARS: readonly Bar[] = [
  {
    work: 'puts/s, 50 x 20, to the leader',
    round: /^put, leader, 50 x 20$/,
    of: 'rate',
    bound: 'least',
    limit: 1.5,
    aim: 2,
  },
  {
    work: 'puts/s, etcdctl check perf --load xl',
    round: /^etcdctl check perf/,
    of: 'rate',
    bound: 'least',
    limit: 1.3,
    aim: 1.6,
  },
  { work: 'CPU per put over the three members', round: /^put, leader, 50 x 20$/, of: 'cpu', bound: 'most', limit: 0.6 },
  {
    work: 'linearizable ranges/s of one key, leader',
    round: /^range, linearizable, leader, 50 x 20$/,
    of: 'rate',
    bound: 'least',
    limit: 2,
    aim: 3,
  },
  {
    work: 'serializable ranges/s of one key',
    round: /^range, serializable, leader, 50 x 20$/,
    of: 'rate',
    bound: 'least',
    limit: 2,
    aim: 3,
  },
  { work: 'ranges of 1,000 keys per s', round: /^range of 1,000 keys/, of: 'rate', bound: 'least', limit: 1, aim: 2 },
  { work: 'put p99 at 2,000 puts/s', round: /^put, 2,000 per s$/, of: 'p99', bound: 'most', limit: 1 },
  {
    work: 'watch events/s, 1 writer, 1,000 watchers',
    round: /^watch, 1 writer, 1,000 watchers/,
    of: 'rate',
    bound: 'least',
    limit: 2,
  },
  { work: 'fill of 1 M keys', round: /^fill of/, of: 'rate', bound: 'least', limit: 1 },
  {
    work: 'memory per member after it',
    round: /^memory per member after the fill$/,
    of: 'amount',
    bound: 'most',
    limit: 0.6,
  },
  { work: 'restart with 1 M keys to healthy', round: /^restart with/, of: 'amount', bound: 'most', limit: 1 },
  {
    work: 'kill -9 of the leader to the next acknowledged put',
    round: /^kill -9 of the leader/,
    of: 'amount',
    bound: 'most',
    limit: 1,
    aim: 0.2,
  },
];

export interface BarLine {
  work: string;
  bar: string;
  /** null: not measured in this run. */
  ratio: number | null;
  verdict: 'reached' | 'aim reached' | 'MISSED' | 'not measured';
}

/** Each line of the bar against the report's figures. Empty where there was nothing to compare with. */
export function barLines({ systems, rounds }: Report): BarLine[] {
  const [own, peer] = systems;
  // Its ratios are to a real etcd under etcd's own load.
  if (own === undefined || peer === undefined || rounds.every(({ group }) => group === 'kube')) return [];
  return BARS.map(({ work, round, of, bound, limit, aim }): BarLine => {
    const words = bound === 'least' ? 'at least' : 'at most';
    const bar = `${words} ${limit}x${aim === undefined ? '' : `, aim ${aim}x`}`;
    const figures = rounds.find(({ name }) => round.test(name))?.figures;
    const [a, b] = [pick(figures?.[own.label], of), pick(figures?.[peer.label], of)];
    if (a === null || b === null) return { work, bar, ratio: null, verdict: 'not measured' };
    const ratio = a / b;
    const reaches = (to: number) => (bound === 'least' ? ratio >= to : ratio <= to);
    const verdict = !reaches(limit) ? 'MISSED' : aim !== undefined && reaches(aim) ? 'aim reached' : 'reached';
    return { work, bar, ratio, verdict };
  });
}

function pick(figures: Figures | undefined, of: Bar['of']): number | null {
  if (figures === undefined) return null;
  const value = {
    rate: figures.perSecond,
    cpu: figures.cpuMicros,
    p99: figures.latency?.p99,
    amount: figures.amount?.value,
  }[of];
  return value !== undefined && value > 0 ? value : null;
}
