import { KubeConfig } from '@kubernetes/client-node';
import type { RunningKube } from '../../../src/kube/app/index.js';

/** As `kubectl` would find it. */
export function configOf(kube: RunningKube): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kube.kubeconfig);
  return config;
}
