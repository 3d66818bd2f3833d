/**
 * Deletes what belongs to nobody any more, and what must go before its owner may. Source: kubernetes garbage collection.
 */
import type { StartController } from '../../kit/api.js';
import { Collector } from './collector.js';

const NAME = 'garbage-collector-controller';
const WORKERS = 10;

export const startGarbageCollector: StartController = (context) => {
  const deletions = context.queue('garbage_collector_attempt_to_delete');
  const orphans = context.queue('garbage_collector_attempt_to_orphan');
  const collector = new Collector(context, context.recorder(NAME), deletions, orphans);
  let stopped = false;
  const started = collector.monitors.start().then(() => {
    if (stopped) return;
    deletions.run(WORKERS, (uid) => collector.attemptToDelete(uid));
    orphans.run(WORKERS, (uid) => collector.attemptToOrphan(uid));
  });
  return {
    name: NAME,
    async stop() {
      stopped = true;
      collector.monitors.stop();
      await Promise.all([deletions.shutDown(), orphans.shutDown()]);
      void started;
    },
  };
};
