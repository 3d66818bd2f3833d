import type { WatchId } from '../wire/watch.js';
import type { WatchPart, WatchSink } from './types.js';

const NO_EVENTS: readonly Buffer[] = [];

export function createdPart(watchId: WatchId, revision: number): WatchPart {
  return makePart(watchId, revision, true, false, 0, '', false, NO_EVENTS);
}

/** The answer to a create that is refused: created and cancelled at once, with no id. */
export function refusedPart(revision: number, reason: string): WatchPart {
  return makePart(-1, revision, true, true, 0, reason, false, NO_EVENTS);
}

export function canceledPart(watchId: WatchId, revision: number, reason = ''): WatchPart {
  return makePart(watchId, revision, false, true, 0, reason, false, NO_EVENTS);
}

/** Its header has no revision, which is etcd's way (etcd semantics §12). */
export function compactedPart(watchId: WatchId, compactRevision: number): WatchPart {
  return makePart(watchId, 0, false, true, compactRevision, '', false, NO_EVENTS);
}

export function progressPart(watchId: WatchId, revision: number): WatchPart {
  return makePart(watchId, revision, false, false, 0, '', false, NO_EVENTS);
}

export function eventsPart(
  watchId: WatchId,
  revision: number,
  events: readonly Buffer[],
  fragment: boolean,
): WatchPart {
  return makePart(watchId, revision, false, false, 0, '', fragment, events);
}

/**
 * Sends events in as many parts as `bytesMax` asks for: each but the last says so, none is empty, and an event that is
 * too big goes alone (etcd semantics §4.4, fragment).
 * @returns false if the sink is full
 */
export function sendFragments(
  sink: WatchSink,
  watchId: WatchId,
  revision: number,
  events: readonly Buffer[],
  bytesMax: number,
): boolean {
  let room = true;
  let start = 0;
  let size = ENVELOPE_BYTES;
  for (let i = 0; i < events.length; i++) {
    const bytes = encodedBytes(events[i] as Buffer);
    if (i > start && size + bytes >= bytesMax) {
      room = sink.send(eventsPart(watchId, revision, events.slice(start, i), true)) && room;
      start = i;
      size = ENVELOPE_BYTES;
    }
    size += bytes;
  }
  return sink.send(eventsPart(watchId, revision, start === 0 ? events : events.slice(start), false)) && room;
}

/** Header, watch id and flags of a response: at most. */
const ENVELOPE_BYTES = 64;

/** An event with tag and length. */
function encodedBytes(event: Buffer): number {
  return event.length + 6;
}

function makePart(
  watchId: WatchId,
  revision: number,
  created: boolean,
  canceled: boolean,
  compactRevision: number,
  cancelReason: string,
  fragment: boolean,
  events: readonly Buffer[],
): WatchPart {
  return { watchId, revision, created, canceled, compactRevision, cancelReason, fragment, events };
}
