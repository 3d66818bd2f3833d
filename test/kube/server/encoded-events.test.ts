import { expect, test } from 'vitest';
import type { StoreEvent } from '../../../src/kube/registry/index.js';
import { EncodedEvents } from '../../../src/kube/server/encoded-events.js';

function event(name: string, type: StoreEvent['type'] = 'ADDED'): StoreEvent {
  return { type, object: { apiVersion: 'v1', kind: 'X', metadata: { name } }, resourceVersion: '1' };
}

test('an event is encoded once for all who watch in one form, and again for another form, type or second', () => {
  const encoded = new EncodedEvents();
  let times = 0;
  const encode = () => {
    times++;
    return '{}';
  };
  const one = event('a');
  const line = encoded.line(one, 'o', 0, encode);
  expect(line.toString()).toBe('{"type":"ADDED","object":{}}\n');
  for (let i = 0; i < 200; i++) expect(encoded.line(one, 'o', 999, encode)).toBe(line);
  expect(times).toBe(1);
  encoded.line(one, 'table', 0, encode);
  encoded.line({ ...one, type: 'MODIFIED' }, 'o', 0, encode);
  encoded.line(one, 'o', 1000, encode);
  expect(times).toBe(4);
});

test('what nobody asked for during a whole generation is forgotten', () => {
  const encoded = new EncodedEvents(10);
  let times = 0;
  const ask = (one: StoreEvent) =>
    encoded.line(one, 'o', 0, () => {
      times++;
      return '{}';
    });
  const kept = event('kept');
  const dropped = event('dropped');
  ask(kept);
  ask(dropped);
  for (let i = 0; i < 30; i++) {
    ask(event(`n${i}`));
    ask(kept);
  }
  times = 0;
  ask(kept);
  expect(times).toBe(0);
  ask(dropped);
  expect(times).toBe(1);
});
