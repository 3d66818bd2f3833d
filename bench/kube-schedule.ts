import { scheduleLoad } from '../test/support/schedule-load.js';
import { amountOf } from './figures.js';
import type { BenchOptions } from './options.js';
import type { Round } from './rounds.js';

const NODES = 100;
const PODS = 1000;

/** A Kubernetes API on the store, in the bench's own process. */
export function scheduleRounds(options: BenchOptions): Round[] {
  const pods = Math.max(10, Math.round(PODS * Math.min(1, options.keys / 1_000_000)));
  const n = pods.toLocaleString('en');
  return [
    {
      group: 'kube-schedule',
      phase: 'many',
      name: `kube: ${n} pods get a node each, of ${NODES}`,
      run: async (system) => {
        const { endpoints } = system.cluster;
        const { placedMs, createdMs, spread } = await scheduleLoad({ endpoints, nodes: NODES, pods, run: false });
        return amountOf(placedMs, 'ms', `created in ${Math.round(createdMs)} ms; ${spread.join(' to ')} pods a node`);
      },
    },
    {
      group: 'kube-schedule',
      phase: 'many',
      name: `kube: ${n} pods run on ${NODES} simulated nodes`,
      run: async (system) => {
        const { endpoints } = system.cluster;
        const { placedMs, runningMs } = await scheduleLoad({ endpoints, nodes: NODES, pods, run: true });
        return amountOf(runningMs ?? 0, 'ms', `placed in ${Math.round(placedMs)} ms`);
      },
    },
  ];
}
