/** Pods stay for a while on a node that is not ready or out of reach. */
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import { isPod } from './pod.js';

interface Toleration {
  key?: string;
  operator?: string;
  effect?: string;
  tolerationSeconds?: number;
}

const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
const SECONDS = 300;

export class DefaultTolerationSeconds implements AdmissionPlugin {
  readonly name = 'DefaultTolerationSeconds';

  async admit(request: AdmissionRequest): Promise<void> {
    const { object: pod, operation } = request;
    if (!isPod(request) || pod === null || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
    const given: Toleration[] = pod.spec?.tolerations ?? [];
    const lacking = TAINTS.filter((taint) => !given.some((toleration) => isAbout(toleration, taint)));
    if (lacking.length === 0) return;
    const more = lacking.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS }));
    pod.spec.tolerations = [...given, ...more];
  }
}

function isAbout({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === 'NoExecute');
}
