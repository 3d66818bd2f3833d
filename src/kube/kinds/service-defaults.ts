/** What a Service is given, and what an update takes over from the Service as it was. */
import type { KubeObject } from '../machinery/object.js';
import type { Loose } from './loose.js';
import { fill, fillText, listOf, same, unset, within } from './loose.js';

const AFFINITY_SECONDS = 10800;
export const HEADLESS = 'None';

export function isExternalName(spec: Loose): boolean {
  return spec?.type === 'ExternalName';
}

/** Reached from outside of the cluster through a port of every node. */
export function isExternal(spec: Loose): boolean {
  return spec?.type === 'NodePort' || spec?.type === 'LoadBalancer';
}

/** It has, or is to be given, an address of its own. */
export function needsAddress(spec: Loose): boolean {
  return !isExternalName(spec) && spec?.clusterIP !== HEADLESS;
}

/** Each of its ports is to be given a port of the nodes. */
export function needsNodePorts(spec: Loose): boolean {
  return spec?.type === 'NodePort' || (spec?.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
}

/** The balancer outside must ask each node whether it has an endpoint. */
export function needsHealthPort(spec: Loose): boolean {
  return spec?.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

export function setServiceDefaults(object: KubeObject): void {
  const spec = within(object, 'spec');
  fillText(spec, 'type', 'ClusterIP');
  fillText(spec, 'sessionAffinity', 'None');
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  else if (spec.sessionAffinity === 'ClientIP') {
    fill(within(within(spec, 'sessionAffinityConfig'), 'clientIP'), 'timeoutSeconds', AFFINITY_SECONDS);
  }
  for (const port of listOf(spec.ports)) {
    fillText(port, 'protocol', 'TCP');
    if (unset(port.targetPort) || port.targetPort === 0) port.targetPort = port.port;
  }
  if (isExternal(spec)) fillText(spec, 'externalTrafficPolicy', 'Cluster');
  if (spec.type === 'LoadBalancer') fill(spec, 'allocateLoadBalancerNodePorts', true);
  if (!isExternalName(spec)) {
    fillText(spec, 'internalTrafficPolicy', 'Cluster');
    fillText(spec, 'ipFamilyPolicy', 'SingleStack');
    fill(spec, 'ipFamilies', ['IPv4']);
    if (unset(spec.clusterIP) && listOf(spec.clusterIPs).length > 0) spec.clusterIP = spec.clusterIPs[0];
    else if (!unset(spec.clusterIP)) fill(spec, 'clusterIPs', [spec.clusterIP]);
  }
  fill(within(object, 'status'), 'loadBalancer', {});
}

/**
 * Whoever replaces a Service need not know what it was given: that is kept. What only its former type had goes, unless
 * it was set anew.
 */
export function carryOver(object: KubeObject, old: KubeObject): void {
  const spec = within(object, 'spec');
  const was = old.spec ?? {};
  fillText(spec, 'type', 'ClusterIP');
  if (needsAddress(was) && needsAddress(spec) && unset(spec.clusterIP) && listOf(spec.clusterIPs).length === 0) {
    spec.clusterIP = was.clusterIP;
    if (was.clusterIPs !== undefined) spec.clusterIPs = [...was.clusterIPs];
  }
  if (needsNodePorts(was) && needsNodePorts(spec)) carryPorts(spec, was);
  if (needsHealthPort(was) && needsHealthPort(spec) && !spec.healthCheckNodePort && was.healthCheckNodePort) {
    spec.healthCheckNodePort = was.healthCheckNodePort;
  }
  dropFormer(spec, was);
}

function carryPorts(spec: Loose, was: Loose): void {
  const taken = new Set(listOf(spec.ports).map((port) => port.nodePort));
  for (const port of listOf(spec.ports)) {
    if (port.nodePort) continue;
    const former = listOf(was.ports).find((p) => p.port === port.port && p.protocol === (port.protocol || 'TCP'));
    if (!former?.nodePort || taken.has(former.nodePort)) continue;
    port.nodePort = former.nodePort;
    taken.add(former.nodePort);
  }
}

function dropFormer(spec: Loose, was: Loose): void {
  const drop = (member: string) => {
    if (same(spec[member], was[member])) delete spec[member];
  };
  if (isExternalName(spec) && !isExternalName(was)) {
    for (const member of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'])
      drop(member);
  }
  if (needsNodePorts(was) && !isExternal(spec)) {
    const former = new Set(listOf(was.ports).map((port) => port.nodePort));
    for (const port of listOf(spec.ports)) if (former.has(port.nodePort)) delete port.nodePort;
  }
  if (isExternal(was) && !isExternal(spec)) drop('externalTrafficPolicy');
  if (needsHealthPort(was) && !needsHealthPort(spec)) drop('healthCheckNodePort');
  if (was.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    drop('allocateLoadBalancerNodePorts');
    drop('loadBalancerClass');
  }
  if (was.type === 'ExternalName' && spec.type !== 'ExternalName') drop('externalName');
}
