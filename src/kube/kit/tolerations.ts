/** Which taints a pod bears (core/v1 Toleration). */
import type { KubeObject } from '../machinery/object.js';

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

export function tolerationsOf(pod: KubeObject): readonly Toleration[] {
  return pod.spec?.tolerations ?? [];
}

export function tolerates({ key = '', operator, value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  // A toleration of all keys must say Exists.
  return key !== '' && value === (taint.value ?? '');
}

export function isTolerated(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some((one) => tolerates(one, taint));
}
