/** What the API fills into pods and pod templates. All of it leaves alone what is there, so it may run any number of times. */
import type { Loose } from './loose.js';
import { entriesOf, fill, fillText, listOf, within } from './loose.js';

const FILE_MODE = 0o644;

/** Of `spec.template` of a controller; makes it if it is not there. */
export function setTemplateDefaults(template: Loose): void {
  if (template === undefined || template === null) return;
  setPodSpecDefaults(within(template, 'spec'));
}

/** What pods and templates share. */
export function setPodSpecDefaults(spec: Loose): void {
  fillText(spec, 'restartPolicy', 'Always');
  fillText(spec, 'dnsPolicy', 'ClusterFirst');
  fill(spec, 'terminationGracePeriodSeconds', 30);
  fillText(spec, 'schedulerName', 'default-scheduler');
  fill(spec, 'securityContext', {});
  mirrorServiceAccount(spec);
  for (const container of allContainers(spec)) setContainerDefaults(container);
  for (const volume of listOf(spec.volumes)) setVolumeDefaults(volume);
}

/** Pods alone: a template keeps what its author left out, so that a later default reaches its pods. */
export function setPodDefaults(spec: Loose): void {
  setPodSpecDefaults(spec);
  fill(spec, 'enableServiceLinks', true);
  for (const container of [...listOf(spec.initContainers), ...listOf(spec.containers)]) {
    for (const [name, quantity] of entriesOf(container.resources?.limits)) {
      fill(within(container.resources, 'requests'), name, quantity);
    }
    if (spec.hostNetwork !== true) continue;
    for (const port of listOf(container.ports)) if (!port.hostPort) port.hostPort = port.containerPort;
  }
}

export function allContainers(spec: Loose): Loose[] {
  return [...listOf(spec?.initContainers), ...listOf(spec?.containers), ...listOf(spec?.ephemeralContainers)];
}

/** The older name of the field is kept equal for older clients. */
function mirrorServiceAccount(spec: Loose): void {
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
}

function setContainerDefaults(container: Loose): void {
  fillText(container, 'imagePullPolicy', isLatest(container.image ?? '') ? 'Always' : 'IfNotPresent');
  fillText(container, 'terminationMessagePath', '/dev/termination-log');
  fillText(container, 'terminationMessagePolicy', 'File');
  fill(container, 'resources', {});
  for (const port of listOf(container.ports)) fillText(port, 'protocol', 'TCP');
  for (const variable of listOf(container.env)) setFieldRefDefaults(variable.valueFrom?.fieldRef);
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe) setProbeDefaults(probe);
  }
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    if (handler?.httpGet) setHttpGetDefaults(handler.httpGet);
  }
}

/** An image without tag and digest means `latest`. */
function isLatest(image: string): boolean {
  const [name = '', digest] = image.split('@');
  const last = name.slice(name.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  return colon < 0 ? digest === undefined : last.slice(colon + 1) === 'latest';
}

function setProbeDefaults(probe: Loose): void {
  for (const [member, value] of [
    ['timeoutSeconds', 1],
    ['periodSeconds', 10],
    ['successThreshold', 1],
    ['failureThreshold', 3],
  ] as const) {
    if (!probe[member]) probe[member] = value;
  }
  if (probe.httpGet) setHttpGetDefaults(probe.httpGet);
  if (probe.grpc) fill(probe.grpc, 'service', '');
}

function setHttpGetDefaults(action: Loose): void {
  fillText(action, 'path', '/');
  fillText(action, 'scheme', 'HTTP');
}

function setFieldRefDefaults(fieldRef: Loose): void {
  if (fieldRef) fillText(fieldRef, 'apiVersion', 'v1');
}

function setVolumeDefaults(volume: Loose): void {
  if (volumeSources(volume).length === 0) volume.emptyDir = {};
  for (const member of ['secret', 'configMap', 'projected', 'downwardAPI']) {
    if (volume[member]) fill(volume[member], 'defaultMode', FILE_MODE);
  }
  for (const item of listOf(volume.downwardAPI?.items)) setFieldRefDefaults(item.fieldRef);
  for (const source of listOf(volume.projected?.sources)) {
    if (source.serviceAccountToken) fill(source.serviceAccountToken, 'expirationSeconds', 3600);
    for (const item of listOf(source.downwardAPI?.items)) setFieldRefDefaults(item.fieldRef);
  }
  if (volume.ephemeral?.volumeClaimTemplate?.spec) {
    fill(volume.ephemeral.volumeClaimTemplate.spec, 'volumeMode', 'Filesystem');
  }
  setVolumeSourceDefaults(volume);
}

/** Sources that volumes of pods and PersistentVolumes have in common. */
export function setVolumeSourceDefaults(holder: Loose): void {
  if (holder.hostPath) fill(holder.hostPath, 'type', '');
  if (holder.iscsi) fillText(holder.iscsi, 'iscsiInterface', 'default');
  if (holder.rbd) {
    fillText(holder.rbd, 'pool', 'rbd');
    fillText(holder.rbd, 'user', 'admin');
    fillText(holder.rbd, 'keyring', '/etc/ceph/keyring');
  }
  if (holder.azureDisk) {
    fill(holder.azureDisk, 'cachingMode', 'ReadWrite');
    fill(holder.azureDisk, 'kind', 'Shared');
    fill(holder.azureDisk, 'fsType', 'ext4');
    fill(holder.azureDisk, 'readOnly', false);
  }
}

/** Names of the sources that are given: every member but the volume's own. */
export function volumeSources(volume: Loose): string[] {
  return entriesOf(volume)
    .filter(([member, value]) => member !== 'name' && value !== undefined && value !== null)
    .map(([member]) => member);
}
