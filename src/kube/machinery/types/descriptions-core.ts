/** Words for configuration, services and storage. */
export const coreDescriptions = `
core.v1/Namespace: A space for names: objects in different namespaces may have the same name.
core.v1/NamespaceSpec: What the namespace is waiting for when it is deleted.
  finalizers: It goes when this list is empty.
core.v1/NamespaceStatus: Where the namespace is in its life.
  phase: Active or Terminating.
core.v1/ConfigMap: Configuration for pods: keys with texts or bytes.
  data: Texts by key. Keys are of letters, digits, dots, dashes and underscores.
  binaryData: Bytes by key, in base64. No key may be in data as well.
  immutable: Once true, the data cannot change any more.
core.v1/Secret: As a ConfigMap, for what should not be seen by everyone.
  data: Bytes by key, in base64.
  stringData: Texts by key: on a write they go into data. They are never read back.
  type: What the secret is for; some types want certain keys. It cannot change.
  immutable: Once true, the data cannot change any more.
core.v1/ServiceAccount: An identity for the processes in pods.
  secrets: Secrets that pods of this account may use.
  imagePullSecrets: Secrets for pulling images, for pods of this account that name none.
  automountServiceAccountToken: Whether pods of this account get a token; a pod may say otherwise.
core.v1/Service: One address for a set of pods.
core.v1/ServiceSpec: Which pods, and how they are reached.
  type: ClusterIP (inside the cluster), NodePort (also on a port of every node), LoadBalancer (also from outside) or ExternalName (a name for something elsewhere).
  selector: Labels of the pods that stand behind the service. Without it, its endpoints are written by somebody else.
  ports: The ports that the service listens on.
  clusterIP: The address inside the cluster; normally chosen by the server. None makes the service headless: its name leads to the pods themselves.
  clusterIPs: The addresses of all families; the first is clusterIP.
  ipFamilies: IPv4, IPv6, or both in the order of clusterIPs.
  ipFamilyPolicy: SingleStack, PreferDualStack or RequireDualStack.
  externalIPs: More addresses, for traffic that somebody leads to the nodes.
  externalName: Of type ExternalName: the host name that is meant.
  sessionAffinity: ClientIP sends a client to the same pod each time; None (default) does not.
  sessionAffinityConfig: For how long ClientIP holds.
  externalTrafficPolicy: Local sends traffic from outside to pods on the node that it came to alone; Cluster (default) to any.
  internalTrafficPolicy: The same for traffic from inside.
  loadBalancerIP: An address wished for; not every provider grants it.
  loadBalancerClass: Who provides the load balancer.
  loadBalancerSourceRanges: Addresses of clients that the load balancer lets through.
  healthCheckNodePort: The port at which a load balancer asks nodes whether they have pods.
  publishNotReadyAddresses: Pods that are not ready are published as well.
  allocateLoadBalancerNodePorts: Whether a load balancer gets node ports too. Default true.
  trafficDistribution: A preference among the pods, such as those near the client.
core.v1/ServicePort: A port of a service, and where it leads.
  name: Needed when there are several ports. A DNS label.
  port: The port of the service.
  targetPort: The port of the pods, as a number or by its name. Default: the same number.
  protocol: TCP (default), UDP or SCTP.
  nodePort: The port of every node; normally chosen by the server.
  appProtocol: What is spoken over the port.
core.v1/ServiceStatus: What became of the service.
  loadBalancer: Where the load balancer is reached.
core.v1/Endpoints: Addresses behind a service; EndpointSlices tell the same in smaller pieces.
  subsets: Addresses with the ports they have in common.
core.v1/Event: Something that happened to an object. Events vanish after a while.
  involvedObject: The object it happened to.
  type: Normal or Warning.
  count: How often it has happened.
  firstTimestamp: When it was first seen.
  lastTimestamp: When it was last seen.
  source: Who reports it.
core.v1/Node: A machine that pods run on.
core.v1/NodeSpec: How the node is to be used.
  podCIDR: Addresses for the pods of the node.
  podCIDRs: The same for each family of addresses.
  providerID: The name of the machine at its provider.
  unschedulable: No new pods are placed here.
  taints: Keep pods away that do not tolerate them.
core.v1/NodeStatus: What the node reports about itself.
  capacity: All of its resources.
  allocatable: What pods may have of them.
  addresses: Where the node is reached.
  nodeInfo: Versions and identity of the machine.
  images: Images that are already there.
core.v1/Taint: Keeps pods away from a node.
  key: Its name.
  value: Its value.
  effect: NoSchedule (no new pods), PreferNoSchedule (if there is another place) or NoExecute (running ones go too).
core.v1/PersistentVolume: A piece of storage in the cluster.
core.v1/PersistentVolumeSpec: What the storage is, and how it may be used.
  capacity: How much there is.
  accessModes: How it can be mounted: ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod.
  claimRef: The claim that it is bound to.
  persistentVolumeReclaimPolicy: What happens when the claim is gone: Retain, Delete or Recycle.
  storageClassName: Claims of this class alone are bound to it. Empty: claims without one.
  volumeMode: Filesystem or Block.
  mountOptions: Options of the mount.
  nodeAffinity: The nodes from which it is reached.
  hostPath: A folder of the node. For tests on one node.
  nfs: A share of an NFS server.
  csi: Storage behind a CSI driver.
  local: A disk of one node.
core.v1/PersistentVolumeStatus: What became of the storage.
  phase: Pending, Available, Bound, Released or Failed.
core.v1/PersistentVolumeClaim: A request for storage.
core.v1/PersistentVolumeClaimSpec: What storage is asked for.
  accessModes: How it will be mounted.
  resources: How much is needed.
  storageClassName: The class of storage. Empty: none; absent: the default class.
  volumeName: The volume that the claim is bound to.
  volumeMode: Filesystem (default) or Block.
  selector: Restricts the volumes by their labels.
  dataSource: What the new volume begins with.
  dataSourceRef: The same, of any kind.
core.v1/PersistentVolumeClaimStatus: What became of the claim.
  phase: Pending, Bound or Lost.
  accessModes: How the volume can be mounted.
  capacity: How much it really is.
storage.v1/StorageClass: A sort of storage, and who makes it.
  provisioner: Who makes volumes of this class.
  parameters: What the provisioner wants to know.
  reclaimPolicy: Of the volumes it makes: Delete (default) or Retain.
  volumeBindingMode: Immediate (default), or WaitForFirstConsumer: when a pod needs it.
  allowVolumeExpansion: Whether claims may grow.
  mountOptions: Options of the mounts.
networking.v1/Ingress: Leads HTTP requests from outside to services, by host and path.
networking.v1/IngressSpec: Which requests go where.
  ingressClassName: Who is to do it.
  defaultBackend: Takes what no rule takes.
  rules: By host. Requests that match none go to the default backend.
  tls: Certificates for hosts.
networking.v1/IngressRule: Paths of one host.
  host: The host, perhaps with a * for its first label. Empty: all.
  http: The paths.
networking.v1/HTTPIngressRuleValue: Paths and what stands behind each.
  paths: The longest that matches wins.
networking.v1/HTTPIngressPath: A path and what stands behind it.
  path: Begins with a slash.
  pathType: Exact, Prefix (by whole elements) or ImplementationSpecific.
  backend: Who answers.
networking.v1/IngressBackend: Who answers: a service or another resource.
  service: A service.
  resource: An object in the same namespace.
networking.v1/IngressServiceBackend: A port of a service.
  name: The service.
  port: Its port.
networking.v1/ServiceBackendPort: A port by name or number.
  name: Its name.
  number: Its number.
networking.v1/IngressTLS: A certificate for hosts.
  hosts: The hosts that it is for.
  secretName: The secret that holds certificate and key.
networking.v1/NetworkPolicy: Restricts which traffic pods get and send.
networking.v1/NetworkPolicySpec: For which pods, and what is let through.
  podSelector: The pods that it is for. Empty: all of the namespace.
  ingress: What comes in. An empty list lets nothing in.
  egress: What goes out.
  policyTypes: Ingress, Egress or both.
`;
