/** What can be done to a cluster. */
export const FAULT_KINDS = [
  /** A process ends at a moment, or some events later, and starts again. */
  'crash',
  /** All of them lose power at once. */
  'crash-all',
  /** A member that installs a snapshot, or opens its folder, dies some events into it. */
  'crash-busy',
  /** A process gets no CPU for a while, then everything late at once. */
  'pause',
  /** One member alone, both ways. */
  'isolate',
  /** Two sides, with or without a member that both see. */
  'split',
  /** What one sends does not arrive; what it hears does. */
  'one-way',
  /** A link that comes and goes. */
  'flap',
  /** Connections are reset; what was under way is lost. */
  'break',
  /** Everything on a link takes long. */
  'clog',
  /** An fsync that takes 10 ms to 30 s. */
  'stall',
  /** An fsync that fails: the member must stop, and never say that it was done. */
  'sync-error',
  /** The disk is full for a while. */
  'full-disk',
  /** Bits flip at rest, on one member of a run at most; it must notice and stop, never serve it or vote upon it. */
  'rot',
  /** The clock on the wall jumps by up to ten years. */
  'wall-jump',
  /** Clients lose their way to a member after the request, before the answer. */
  'client-cut',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * One fault, drawn before the run: a list of them is what the shrinker bisects. Members are named by number; -1 is
 * whoever leads at that moment.
 */
export interface FaultEvent {
  readonly id: number;
  /** Virtual ms from the start of the load. */
  readonly at: number;
  readonly kind: FaultKind;
  /** Members that it happens to, in an order that means what the kind says. */
  readonly who: readonly number[];
  /** How long, ms. */
  readonly forMs: number;
  /** A number for the kind's own use (bytes, modes, events until it happens). */
  readonly n: number;
}
