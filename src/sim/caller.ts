import type { CallContext } from '../server/index.js';

/** The name that all clients of a run have but who tries what others may; nobody looks at it while auth is off. */
export const ROOT_NAME = 'root';

/** How they ask: as with a certificate, so that there is no token to fetch or to lose. */
export const AS_ROOT: CallContext = Object.freeze({ deadline: 0, certificateName: ROOT_NAME });
