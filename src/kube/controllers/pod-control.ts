/** Making and deleting pods for an owner, with the Events that tell of it. */
import type { ControllerContext, EventRecorder, ResourceClient } from '../kit/index.js';
import { controllerRef, isConflict, isNamespaceTerminating, isNotFound, PODS } from '../kit/index.js';
import type { KubeObject, Loose } from '../machinery/object.js';

export class PodControl {
  readonly client: ResourceClient;
  readonly recorder: EventRecorder;

  constructor(context: ControllerContext, recorder: EventRecorder) {
    this.client = context.client.resource(PODS);
    this.recorder = recorder;
  }

  /**
   * @returns null in a namespace that is going: nobody will want the pod
   * @throws what the server said; the owner's Event tells it
   */
  async create(owner: KubeObject, pod: KubeObject): Promise<KubeObject | null> {
    try {
      const made = await this.client.create(owner.metadata.namespace ?? '', pod);
      this.recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`);
      return made;
    } catch (err) {
      if (isNamespaceTerminating(err)) return null;
      this.recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${(err as Error).message}`);
      throw err;
    }
  }

  /** Only this very pod: another of its name stays. @returns false if it was gone already */
  async delete(owner: KubeObject, pod: KubeObject): Promise<boolean> {
    const { namespace = '', name = '', uid } = pod.metadata;
    try {
      await this.client.delete(namespace, name, uid === undefined ? {} : { preconditions: { uid } });
      this.recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
      return true;
    } catch (err) {
      // Of this uid there is none any more, whether or not there is another of its name.
      if (isNotFound(err) || isConflict(err)) return false;
      this.recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${(err as Error).message}`);
      throw err;
    }
  }
}

/** A pod as a template describes it, for an owner whose name begins its own. */
export function podOfTemplate(owner: KubeObject, template: Loose): KubeObject {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace ?? '',
      labels: { ...labels },
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [controllerRef(owner)],
    },
    spec: structuredClone(template?.spec),
  };
}
