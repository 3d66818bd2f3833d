export { type ClusterConfig, ClusterConfigError, type ClusterMember, loadClusterConfig } from './cluster-config.js';
export { sendControl } from './control.js';
export { readRunFile } from './run-file.js';
export { Supervisor } from './supervisor.js';
