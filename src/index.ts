/**
 * Keel as a library: a member of an etcd v3 cluster inside this process.
 *
 *   const keel = await startMember({ config: { dataDir: './data' }, listenClientUrls: ['http://localhost:0'] });
 *   await keel.ready;
 *   // any etcd client, at keel.clientUrls
 *   await keel.stop();
 *
 * The client for TypeScript is `keel/client`.
 */
export { TlsError, tlsVersions } from './env/tls/index.js';
export { ListenError } from './listen-url.js';
export type { TlsOptions } from './listeners.js';
export {
  ConfigError,
  ETCD_VERSION,
  type InitialMember,
  KEEL_VERSION,
  type MemberConfig,
  type MemberTuning,
  memberDefaults,
  mustBeEmpty,
  openClientSnapshot,
  type Restored,
  type RestoreOptions,
  restoreMember,
  type SnapshotFile,
  validate as validateConfig,
} from './server/index.js';
export { type RunningMember, type StartOptions, startMember } from './start-member.js';
export type { LogFields, Logger, LogLevel } from './util/log.js';
