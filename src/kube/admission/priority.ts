/** A pod's priority is that of its class; there is at most one class for those that name none. */
import type { ObjectReader } from '../kinds/kind.js';
import { forbidden } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import { isPod } from './pod.js';

const GROUP = 'scheduling.k8s.io';
const PLURAL = 'priorityclasses';
const PREEMPT = 'PreemptLowerPriority';
const COMPUTED = 'must not be provided in pod spec; priority admission controller computed';

export class Priority implements AdmissionPlugin {
  readonly name = 'Priority';
  readonly #cached: ObjectReader;
  readonly #live: ObjectReader;

  constructor(cached: ObjectReader, live: ObjectReader) {
    this.#cached = cached;
    this.#live = live;
  }

  async admit(request: AdmissionRequest): Promise<void> {
    const { object: pod, oldObject, operation } = request;
    if (!isPod(request) || pod === null) return;
    if (operation === 'UPDATE' && oldObject !== null) {
      // Older clients leave out what they do not know; it cannot change anyway.
      for (const member of ['priority', 'preemptionPolicy']) {
        if (oldObject.spec?.[member] !== undefined) pod.spec[member] ??= oldObject.spec[member];
      }
    }
    if (operation === 'CREATE') await this.#resolve(request, pod);
  }

  async validate(request: AdmissionRequest): Promise<void> {
    const { kind, operation, object, oldObject } = request;
    if (kind.group !== GROUP || kind.plural !== PLURAL || object?.globalDefault !== true) return;
    if (operation !== 'CREATE' && (operation !== 'UPDATE' || oldObject?.globalDefault === true)) return;
    const other = await this.#default(this.#live);
    if (other === undefined || other.metadata.name === object.metadata.name) return;
    const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`;
    throw forbidden({ group: GROUP, plural: PLURAL }, request.name, why);
  }

  async #resolve(request: AdmissionRequest, pod: KubeObject): Promise<void> {
    const refuse = (why: string) => forbidden({ group: '', plural: 'pods' }, request.name, why);
    const { spec } = pod;
    let found: KubeObject | undefined;
    if (spec.priorityClassName) {
      const name: string = spec.priorityClassName;
      found =
        (await this.#cached.get(GROUP, PLURAL, '', name)) ??
        (await this.#live.get(GROUP, PLURAL, '', name)) ??
        undefined;
      if (found === undefined) throw refuse(`no PriorityClass with name ${name} was found`);
    } else {
      found = await this.#default(this.#cached);
      if (found !== undefined) spec.priorityClassName = found.metadata.name;
    }
    const value: number = found?.value ?? 0;
    const policy: string = found?.preemptionPolicy ?? PREEMPT;
    const why = (what: string, given: unknown, computed: unknown) =>
      `the ${what} (${given}) ${COMPUTED} ${computed} from the given PriorityClass name`;
    if (spec.priority !== undefined && spec.priority !== value) {
      throw refuse(why('integer value of priority', spec.priority, value));
    }
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
      throw refuse(why('string value of PreemptionPolicy', spec.preemptionPolicy, policy));
    }
    spec.priority = value;
    spec.preemptionPolicy = policy;
  }

  /** Of several (two servers made one each) the least. */
  async #default(objects: ObjectReader): Promise<KubeObject | undefined> {
    const classes = (await objects.list(GROUP, PLURAL, '')).filter((object) => object.globalDefault === true);
    return classes.sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  }
}
