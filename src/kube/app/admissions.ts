/** The admission plug-ins that are on, opened once resources are there: they read what they admit. */
import { CachedReader } from '../admission/cached-reader.js';
import { AdmissionChain } from '../admission/chain.js';
import { NamespaceLifecycle } from '../admission/namespace-lifecycle.js';
import type { Authorizer } from '../authz/index.js';
import { RbacAuthorizer, RbacEscalation } from '../authz/index.js';
import type { Kinds, ObjectReader } from '../kinds/kind.js';
import type { KubeObject } from '../machinery/object.js';
import type { Admission, AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import type { Resources } from '../rest/resource.js';
import type { ApiServices } from '../server/index.js';
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

export class Admissions implements Admission {
  #chain: AdmissionChain | null = null;
  #cached: CachedReader | null = null;

  /** @throws KubeConfigError for a plug-in that nobody knows */
  open({ kinds, resources, live, authorizer, options, now }: AdmissionParts): void {
    const cached = new CachedReader(kinds, resources, live);
    this.#cached = cached;
    const plugins: AdmissionPlugin[] = [
      new NamespaceLifecycle(cached, live, now),
      ...(authorizer instanceof RbacAuthorizer ? [new RbacEscalation(authorizer)] : []),
    ];
    const names = plugins.map((plugin) => plugin.name);
    const { disableAdmission = [], enableAdmission = [] } = options;
    for (const name of [...disableAdmission, ...enableAdmission]) {
      if (!names.includes(name)) throw new KubeConfigError(`admission plug-in ${JSON.stringify(name)} is unknown`);
    }
    this.#chain = new AdmissionChain(plugins.filter(({ name }) => !disableAdmission.includes(name)));
  }

  admit(request: AdmissionRequest): Promise<void> {
    return this.#chain === null ? Promise.resolve() : this.#chain.admit(request);
  }

  validate(request: AdmissionRequest): Promise<void> {
    return this.#chain === null ? Promise.resolve() : this.#chain.validate(request);
  }

  /** APIServices from memory, looked at with each request. */
  apiServices(): ApiServices {
    const watched = this.#cached?.watched('apiregistration.k8s.io', 'apiservices');
    return { get: (name: string): KubeObject | undefined => watched?.get('', name) };
  }

  stop(): void {
    this.#cached?.stop();
  }
}
