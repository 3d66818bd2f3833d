/** Claims and ingresses that name no class get the one that is marked as default. */
import type { ObjectReader } from '../kinds/kind.js';
import type { KubeObject } from '../machinery/object.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';

interface ClassRule {
  readonly name: string;
  /** Who gets a class. */
  readonly group: string;
  readonly plural: string;
  readonly field: 'storageClassName' | 'ingressClassName';
  /** An older way to name one. */
  readonly annotation: string;
  readonly classGroup: string;
  readonly classPlural: string;
  readonly defaultMark: string;
}

class DefaultClass implements AdmissionPlugin {
  readonly name: string;
  readonly #rule: ClassRule;
  readonly #objects: ObjectReader;

  constructor(rule: ClassRule, objects: ObjectReader) {
    this.name = rule.name;
    this.#rule = rule;
    this.#objects = objects;
  }

  async admit({ kind, operation, subresource, object }: AdmissionRequest): Promise<void> {
    const { group, plural, field, annotation, classGroup, classPlural, defaultMark } = this.#rule;
    if (kind.group !== group || kind.plural !== plural || subresource !== '') return;
    if (operation !== 'CREATE' || object === null) return;
    // An empty name is a choice: no class at all.
    if (object.spec?.[field] !== undefined && object.spec[field] !== null) return;
    if (object.metadata.annotations?.[annotation] !== undefined) return;
    const classes = await this.#objects.list(classGroup, classPlural, '');
    const marked = classes
      .filter(({ metadata }) => metadata.annotations?.[defaultMark] === 'true')
      .sort(newestFirst)[0];
    if (marked === undefined) return;
    object.spec ??= {};
    object.spec[field] = marked.metadata.name;
  }
}

function newestFirst(a: KubeObject, b: KubeObject): number {
  const [made, other] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (made !== other) return made > other ? -1 : 1;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

export function defaultStorageClass(objects: ObjectReader): AdmissionPlugin {
  const rule: ClassRule = {
    name: 'DefaultStorageClass',
    group: '',
    plural: 'persistentvolumeclaims',
    field: 'storageClassName',
    annotation: 'volume.beta.kubernetes.io/storage-class',
    classGroup: 'storage.k8s.io',
    classPlural: 'storageclasses',
    defaultMark: 'storageclass.kubernetes.io/is-default-class',
  };
  return new DefaultClass(rule, objects);
}

export function defaultIngressClass(objects: ObjectReader): AdmissionPlugin {
  const rule: ClassRule = {
    name: 'DefaultIngressClass',
    group: 'networking.k8s.io',
    plural: 'ingresses',
    field: 'ingressClassName',
    annotation: 'kubernetes.io/ingress.class',
    classGroup: 'networking.k8s.io',
    classPlural: 'ingressclasses',
    defaultMark: 'ingressclass.kubernetes.io/is-default-class',
  };
  return new DefaultClass(rule, objects);
}
