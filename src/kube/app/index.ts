/** A Kubernetes API server on an etcd v3, as a value: the front door. */
export { type AuthorizationMode, KubeConfigError, type KubeOptions, type RunningKube } from './options.js';
export { startKube } from './start-kube.js';
