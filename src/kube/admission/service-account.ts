/** Pods run as a service account of their namespace and find its token in a volume. */
import { randomInt } from 'node:crypto';
import type { ObjectReader } from '../kinds/kind.js';
import { forbidden } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import type { Container } from './pod.js';
import { containersOf, initContainersOf, isMirror, isPod } from './pod.js';

const DEFAULT_ACCOUNT = 'default';
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
/** Seconds; the odd number tells issuers that nobody chose it. */
const TOKEN_SECONDS = 3607;
const PODS = { group: '', plural: 'pods' };

export interface ServiceAccountOptions {
  readonly cached: ObjectReader;
  readonly live: ObjectReader;
  /** Ends with `s` many characters. */
  readonly suffix?: (characters: number) => string;
  readonly sleep?: (ms: number) => Promise<void>;
}

export class ServiceAccountPlugin implements AdmissionPlugin {
  readonly name = 'ServiceAccount';
  readonly #options: ServiceAccountOptions;

  constructor(options: ServiceAccountOptions) {
    this.#options = options;
  }

  async admit(request: AdmissionRequest): Promise<void> {
    const { object: pod, namespace, operation } = request;
    if (!isPod(request) || operation !== 'CREATE' || pod === null || isMirror(pod)) return;
    pod.spec ??= {};
    pod.spec.serviceAccountName ||= DEFAULT_ACCOUNT;
    pod.spec.serviceAccount = pod.spec.serviceAccountName;
    const account = await this.#find(request, pod, namespace);
    if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) this.#mount(pod);
    const pull: unknown[] = account.imagePullSecrets ?? [];
    if ((pod.spec.imagePullSecrets ?? []).length === 0 && pull.length > 0) {
      pod.spec.imagePullSecrets = structuredClone(pull);
    }
  }

  /** The account of a namespace that was made this moment is on its way: `default` is waited for. */
  async #find(request: AdmissionRequest, pod: KubeObject, namespace: string): Promise<KubeObject> {
    const { cached, live, sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) } = this.#options;
    const name: string = pod.spec.serviceAccountName;
    const known = await cached.get('', 'serviceaccounts', namespace, name);
    if (known !== null) return known;
    for (let attempt = name === DEFAULT_ACCOUNT ? 10 : 1; attempt > 0; attempt--) {
      const account = await live.get('', 'serviceaccounts', namespace, name);
      if (account !== null) return account;
      if (attempt > 1) await sleep(100);
    }
    const why = `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
    throw forbidden(PODS, request.name, why);
  }

  #mount(pod: KubeObject): void {
    const volumes: { name: string; projected?: unknown }[] = (pod.spec.volumes ??= []);
    let volume = volumes.find(({ name, projected }) => name.startsWith(VOLUME_PREFIX) && projected !== undefined);
    const lacking = [...initContainersOf(pod), ...containersOf(pod)].filter((container) => !hasToken(container));
    if (lacking.length > 0 && volume === undefined) volumes.push((volume = this.#volume()));
    for (const container of lacking) {
      container.volumeMounts ??= [];
      container.volumeMounts.push({ name: volume!.name, readOnly: true, mountPath: MOUNT_PATH });
    }
    if (volumes.length === 0) delete pod.spec.volumes;
  }

  #volume() {
    const suffix = this.#options.suffix ?? randomSuffix;
    return {
      name: `${VOLUME_PREFIX}${suffix(5)}`,
      projected: {
        defaultMode: 0o644,
        sources: [
          { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
            },
          },
        ],
      },
    };
  }
}

function hasToken({ volumeMounts }: Container): boolean {
  return (volumeMounts ?? []).some(({ mountPath }) => mountPath.replace(/\/+$/, '') === MOUNT_PATH);
}

function randomSuffix(characters: number): string {
  let text = '';
  for (let i = 0; i < characters; i++) text += SUFFIX_ALPHABET[randomInt(SUFFIX_ALPHABET.length)];
  return text;
}
