export { addressOf } from './address.js';
export type {
  PeerAddress,
  PeerError,
  PeerFigures,
  PeerHandlers,
  PeerHub,
  PeerIdentity,
  PeerReply,
  SnapshotSink,
  SnapshotSource,
} from './api.js';
export { ask } from './ask.js';
export { NetPeerHub } from './hub.js';
export { type LinkTimes, linkTimes } from './link.js';
