import { delay, newCall, withConnections } from './drive.js';
import { Histogram } from './histogram.js';
import { eventTails, MessageReader, PUT, putMessage, WATCH, watchMessage } from './requests.js';

export interface FanOutResult {
  puts: number;
  failed: number;
  events: number;
  /** Events that never came. */
  missing: number;
  elapsedMs: number;
  /** From sending a put to receiving its event, over all watchers. */
  latency: Histogram;
}

/** One writer with `inFlight` puts on one key, and watchers of its prefix, each on a stream of its own. */
export async function driveFanOut(options: {
  host: string;
  writerPort: number;
  watcherPorts: number[];
  watchers: number;
  inFlight: number;
  durationMs: number;
}): Promise<FanOutResult> {
  const { host, writerPort, watcherPorts, watchers, inFlight, durationMs } = options;
  const key = Buffer.from('bench-fan-out/key');
  const prefix = watchMessage(Buffer.from('bench-fan-out/'), Buffer.from('bench-fan-out0'));
  const latency = new Histogram();
  const perPort = Math.ceil(watchers / watcherPorts.length);
  let events = 0;
  let created = 0;
  let puts = 0;
  let failed = 0;
  let writing = true;

  const watch = async (port: number, count: number, body: () => Promise<void>): Promise<void> => {
    // Ten watchers a connection, as a few busy clients would have them.
    await withConnections({ host, port, connections: Math.ceil(count / 10) }, async (all, fail) => {
      for (let i = 0; i < count; i++) {
        const call = newCall();
        let first = true;
        const reader = new MessageReader((message) => {
          if (first) {
            first = false;
            created++;
            return;
          }
          const now = performance.now();
          eventTails(message, (sent) => {
            events++;
            latency.record(now - sent);
          });
        });
        call.onData = (chunk) => reader.push(chunk);
        all[i % all.length]!.call(WATCH, prefix, call, false);
      }
      await Promise.race([body(), fail]);
    });
  };

  const write = async (): Promise<number> => {
    while (created < perPort * watcherPorts.length) await delay(5);
    return withConnections({ host, port: writerPort, connections: 1 }, async (all, fail) => {
      const connection = all[0]!;
      const began = performance.now();
      const value = Buffer.alloc(256, 'x');
      const issue = () => {
        value.writeDoubleBE(performance.now(), value.length - 8);
        connection.call(PUT, putMessage(key, value), newCall());
      };
      connection.onEnd = (call) => {
        if (call.failed) failed++;
        else puts++;
        if (writing) issue();
      };
      for (let i = 0; i < inFlight; i++) issue();
      await Promise.race([delay(durationMs), fail]);
      writing = false;
      while (connection.inFlight > 0) await Promise.race([delay(2), fail]);
      const until = performance.now() + 5000;
      while (events < puts * perPort * watcherPorts.length && performance.now() < until) await delay(2);
      return performance.now() - began;
    });
  };

  let elapsedMs = 0;
  const nested = watcherPorts.reduceRight<() => Promise<void>>(
    (inner, port) => () => watch(port, perPort, inner),
    async () => {
      elapsedMs = await write();
    },
  );
  await nested();
  return { puts, failed, events, missing: puts * perPort * watcherPorts.length - events, elapsedMs, latency };
}
