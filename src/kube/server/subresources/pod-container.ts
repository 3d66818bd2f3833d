import { badRequest } from '../../machinery/api-error.js';
import type { KubeObject } from '../../machinery/object.js';

interface Container {
  readonly name: string;
}

/** The container that is meant; it may be left out where there is one only, or a default is annotated. @throws ApiError 400 */
export function containerOf(pod: KubeObject, asked: string | null): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const name = pod.metadata.name ?? '';
  const all = [...containers, ...initContainers, ...ephemeralContainers] as Container[];
  if (asked !== null && asked !== '') {
    if (all.some((one) => one.name === asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  if (containers.length === 1) return containers[0].name;
  const named = (list: readonly Container[]) => list.map((one) => one.name).join(' ');
  const init = initContainers.length > 0 ? ` or one of the init containers: [${named(initContainers)}]` : '';
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${named(containers)}]${init}`);
}
