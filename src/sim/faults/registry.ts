import { confRace } from './conf-race.js';
import { fullDisk, misdirected, rot, staleSector, stall, syncError } from './disks.js';
import type { FaultKind, FaultSpec } from './kinds.js';
import { lateSnapshot } from './late-snapshot.js';
import { breakLinks, clientCut, clog, flap, isolate, oneWay, split, swamp, swizzle } from './links.js';
import { clockRate, crash, crashAcked, crashAll, crashBusy, pause, wallJump } from './processes.js';
import { skew } from './skew.js';
import { thinQuorum, thinRot } from './thin-quorum.js';

/**
 * Every kind of fault. A new one is a FaultSpec in a file of its room and its name here: drawing, shrinking, the
 * coverage table and `--set faultKinds=` follow.
 */
export const FAULTS: readonly FaultSpec[] = [
  crash,
  crashAll,
  crashBusy,
  crashAcked,
  pause,
  isolate,
  split,
  oneWay,
  flap,
  breakLinks,
  clog,
  swizzle,
  swamp,
  stall,
  syncError,
  fullDisk,
  rot,
  staleSector,
  misdirected,
  skew,
  lateSnapshot,
  thinQuorum,
  thinRot,
  wallJump,
  clockRate,
  clientCut,
  confRace,
];

export const FAULT_KINDS: readonly FaultKind[] = FAULTS.map((fault) => fault.name);

const BY_NAME = new Map(FAULTS.map((fault) => [fault.name, fault]));

/** @throws Error if there is no such kind */
export function faultOf(name: FaultKind): FaultSpec {
  const fault = BY_NAME.get(name);
  if (fault === undefined) throw new Error(`no kind of fault is called ${name}: ${FAULT_KINDS.join(' ')}`);
  return fault;
}
