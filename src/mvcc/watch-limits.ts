/** Distinct revisions in one response of a replay, as etcd's. */
export const REPLAY_REVISIONS_MAX = 1000;
/** A replay's response is sent at the end of the revision in which it reaches this. */
export const REPLAY_BYTES = 1 << 20;
/** Watchers that share one pass over the store. */
export const ROUND_WATCHERS_MAX = 512;
/** Passes at the same time: who begins late need not wait for a long one. */
export const ROUNDS_MAX = 4;
/** Revisions of the event log that one step looks at. */
export const STEP_REVISIONS = 20_000;
