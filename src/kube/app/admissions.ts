/** What a write has to pass, put together: the chain, the memory it reads, the guards of roles. */
import type { ServiceResolver } from '../admission/index.js';
import { ADMISSION_PLUGINS, AdmissionChain, CachedReader, PendingCharges, plugAdmission } from '../admission/index.js';
import type { Authorizer } from '../authz/index.js';
import { RbacAuthorizer, RbacEscalation } from '../authz/index.js';
import type { Kinds, ObjectReader } from '../kinds/kind.js';
import { ApiError } from '../machinery/api-error.js';
import type { Resources } from '../rest/resource.js';
import { serviceAddress } from '../server/index.js';
import type { KubeOptions } from './options.js';
import { KubeConfigError } from './options.js';

export interface AdmissionParts {
  readonly kinds: Kinds;
  readonly resources: Resources;
  readonly live: ObjectReader;
  readonly authorizer: Authorizer;
  readonly options: KubeOptions;
  readonly now: () => number;
}

/** @throws KubeConfigError for a plug-in that nobody knows */
export function checkPlugins({ enableAdmission = [], disableAdmission = [] }: KubeOptions): void {
  for (const [flag, names] of [
    ['enable', enableAdmission],
    ['disable', disableAdmission],
  ] as const) {
    for (const name of names) {
      if (ADMISSION_PLUGINS.includes(name)) continue;
      throw new KubeConfigError(
        `--${flag}-admission-plugins: ${JSON.stringify(name)} is unknown; there are ${ADMISSION_PLUGINS.join(', ')}`,
      );
    }
  }
}

export class Admissions {
  /** Handed to the resources before its plug-ins are there: they read through the resources. */
  readonly chain = new AdmissionChain();
  cached!: CachedReader;
  /** Charges of quotas on their way; the keepers are given them, too. */
  readonly pending = new PendingCharges();
  #unplug: () => void = () => {};

  open({ kinds, resources, live, authorizer, options, now }: AdmissionParts): void {
    this.cached = new CachedReader(kinds, resources, live);
    const services: ServiceResolver = {
      async resolve(namespace, name, port) {
        try {
          return await serviceAddress(live, namespace, name, String(port));
        } catch (err) {
          if (err instanceof ApiError) return null;
          throw err;
        }
      },
    };
    this.#unplug = plugAdmission(this.chain, {
      kinds,
      resources,
      cached: this.cached,
      pending: this.pending,
      live,
      guards: authorizer instanceof RbacAuthorizer ? [new RbacEscalation(authorizer)] : [],
      services,
      disabled: options.disableAdmission ?? [],
      now,
    });
  }

  stop(): void {
    this.#unplug();
    this.cached?.stop();
  }
}
