export type { MvccApi as MvccStore, WatchHubApi as WatchHub, WatchStreamApi as WatchStream } from './api.js';
export type * from './types.js';
