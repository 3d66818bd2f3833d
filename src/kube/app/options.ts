/** What `keel kube` is started with, after its flags were read. */
import type { TlsOptions } from '../../client/index.js';
import type { Logger } from '../../util/log.js';
import type { CertificateMaker } from './pki.js';

export type AuthorizationMode = 'RBAC' | 'AlwaysAllow';

export interface KubeOptions {
  /** Members of the store. */
  readonly endpoints: readonly string[];
  readonly storeTls?: TlsOptions;
  readonly storeAuth?: { readonly name: string; readonly password: string };
  /** --etcd-prefix: what all keys begin with. Default `/registry`. */
  readonly prefix?: string;
  /** --etcd-compaction-interval, ms; 0: never. Default 5 min. */
  readonly compactionIntervalMs?: number;
  /** How often watches that want bookmarks get one, ms. Default 1 min. */
  readonly bookmarkIntervalMs?: number;
  /** Holds `pki/` and the kubeconfig. */
  readonly dataDir: string;
  /** Where the kubeconfig goes. Default `<dataDir>/admin.kubeconfig`. */
  readonly kubeconfig?: string;
  /** Default 127.0.0.1. */
  readonly bindAddress?: string;
  /** 0 picks a free one. Default 6443. */
  readonly port?: number;
  /** Address that is told to others. Default: the bind address, or the machine's first. */
  readonly advertiseAddress?: string;
  /** A further name of the server, for its certificate and the kubeconfig. */
  readonly externalHostname?: string;
  /** Default 10.96.0.0/12. */
  readonly serviceCidr?: string;
  /** Inclusive. Default 30000-32767. */
  readonly nodePorts?: { readonly first: number; readonly last: number };
  /** Contents of --token-auth-file. */
  readonly tokenFile?: string;
  /** PEM of further authorities of client certificates. */
  readonly clientCa?: string;
  /** PEM, both or none: in place of the certificate that is made. */
  readonly serverCert?: string;
  readonly serverKey?: string;
  /** Default RBAC. */
  readonly authorization?: AuthorizationMode;
  /** Default true. */
  readonly anonymous?: boolean;
  /** Of service-account tokens. */
  readonly issuer?: string;
  readonly audiences?: readonly string[];
  /** Names of admission plug-ins, besides the default ones. */
  readonly enableAdmission?: readonly string[];
  readonly disableAdmission?: readonly string[];
  /** Default 400 and 200; 0: no limit. */
  readonly maxInflight?: number;
  readonly maxMutatingInflight?: number;
  /** Which loops run beside the server, as `--controllers` has them: `['*', '-foo']`. Default: none. */
  readonly controllers?: readonly string[];
  /** --nodes: how many simulated nodes run in this process. Default 0. */
  readonly nodes?: number;
  readonly log: Logger;
  readonly makeCertificate: CertificateMaker;
}

/** A configuration that cannot work; the message names the flag. */
export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError';
  readonly code = 'ERR_KUBE_CONFIG';
}

export interface RunningKube {
  /** `https://127.0.0.1:6443` */
  readonly url: string;
  /** The file that was written. */
  readonly kubeconfig: string;
  /** Idempotent. Watches end cleanly, requests under way are answered. */
  stop(): Promise<void>;
}
