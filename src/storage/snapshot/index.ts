export type { SnapshotErrorCode } from './errors.js';
export { SnapshotError } from './errors.js';
export type { SnapshotExport } from './exporter.js';
export { exportSnapshot } from './exporter.js';
export type { SnapshotHeader } from './format.js';
export { SnapshotImport } from './importer.js';
