/** Words for pods and what is in them. */
export const podDescriptions = `
core.v1/Pod: A group of containers that run together on one node and share its network address and volumes.
core.v1/PodTemplateSpec: What pods that a controller makes look like.
core.v1/PodSpec: The containers of a pod, and where and how they run.
  containers: The containers. There is at least one, and the list cannot change.
  initContainers: Run one after the other before the containers start; each must succeed. One with restartPolicy Always keeps running beside them.
  ephemeralContainers: Added to a running pod to look into it.
  volumes: Storage that the containers may mount.
  restartPolicy: When containers are started again: Always (default), OnFailure or Never.
  terminationGracePeriodSeconds: Seconds that the containers have to end when the pod is deleted. Default 30.
  activeDeadlineSeconds: The pod fails when it has run for so long.
  dnsPolicy: Where names are resolved: ClusterFirst (default), ClusterFirstWithHostNet, Default (as the node does) or None.
  dnsConfig: More name servers, search domains and options.
  nodeSelector: Labels that the node must have.
  nodeName: The node; normally set by the scheduler.
  affinity: Wishes about nodes and about other pods nearby.
  tolerations: Taints of nodes that do not keep the pod away.
  topologySpreadConstraints: How evenly pods are spread over zones, nodes and the like.
  schedulerName: Who finds a node for the pod. Default default-scheduler.
  schedulingGates: The pod waits until this list is empty.
  serviceAccountName: The identity of the pod. Default default.
  serviceAccount: The older name of serviceAccountName.
  automountServiceAccountToken: Whether a token of the account is mounted.
  imagePullSecrets: Secrets for pulling the images.
  securityContext: Rights and identity of all containers.
  hostNetwork: The pod uses the network of its node.
  hostPID: The pod sees the processes of its node.
  hostIPC: The pod shares the IPC of its node.
  hostUsers: False runs the pod in a user namespace of its own.
  shareProcessNamespace: The containers see one another's processes.
  hostname: Host name of the pod. Default: its name.
  subdomain: Gives the pod a name below it: hostname.subdomain.namespace.svc.
  hostAliases: Lines for /etc/hosts.
  priorityClassName: How important the pod is, by the name of a class.
  priority: The number of that class.
  preemptionPolicy: Whether less important pods may be evicted for it: PreemptLowerPriority (default) or Never.
  readinessGates: Conditions that must be true besides the containers' readiness.
  runtimeClassName: The sort of container runtime.
  enableServiceLinks: Whether variables with the addresses of services are set. Default true.
  overhead: What the runtime itself uses.
  os: The operating system that the containers need.
  setHostnameAsFQDN: The host name is the full name.
  resourceClaims: Claims of devices that containers may use.
core.v1/PodStatus: What is known about a running pod.
  phase: Pending, Running, Succeeded, Failed or Unknown: a summary.
  podIP: Its address.
  podIPs: Its addresses of all families.
  hostIP: The address of its node.
  startTime: When the node took the pod on.
  containerStatuses: One entry a container.
  initContainerStatuses: One entry an init container.
  qosClass: Guaranteed, Burstable or BestEffort: who goes first when memory is short.
  nominatedNodeName: The node where room is being made for the pod.
core.v1/Container: A process with its own file system, made from an image.
  name: Unique in the pod. A DNS label.
  image: The image that it is made from.
  command: What is run, instead of the entry point of the image. Variables are written $(NAME).
  args: Arguments, instead of those of the image.
  workingDir: The folder it begins in.
  env: Environment variables.
  envFrom: Sources of many variables at once; env wins over them.
  ports: Ports that the container listens on. It may listen on others as well.
  resources: How much it may use and must have.
  resizePolicy: Whether a change of resources restarts it.
  restartPolicy: Of init containers: Always makes one run beside the containers.
  volumeMounts: Where volumes appear in its file system.
  volumeDevices: Where volumes appear as block devices.
  livenessProbe: When it fails, the container is started again.
  readinessProbe: While it fails, the pod gets no traffic from services.
  startupProbe: Until it has succeeded, the other probes wait.
  lifecycle: What is done after the start and before the end.
  imagePullPolicy: Always, IfNotPresent or Never. Default: Always for images tagged latest, else IfNotPresent.
  securityContext: Rights and identity; wins over those of the pod.
  terminationMessagePath: The file whose content becomes the message of its end. Default /dev/termination-log.
  terminationMessagePolicy: File (default), or FallbackToLogsOnError: the end of the log if the file is empty.
  stdin: It has an input.
  stdinOnce: The input ends with the first client that leaves it.
  tty: It has a terminal.
core.v1/ContainerPort: A port that a container listens on.
  containerPort: The port.
  name: A name by which services may mean it.
  protocol: TCP (default), UDP or SCTP.
  hostPort: A port of the node that leads to it.
  hostIP: The address of the node that hostPort is bound to.
core.v1/EnvVar: An environment variable.
  name: Its name.
  value: Its value. Other variables are written $(NAME).
  valueFrom: Where its value comes from instead.
core.v1/EnvVarSource: Where the value of a variable comes from.
  configMapKeyRef: A key of a ConfigMap.
  secretKeyRef: A key of a Secret.
  fieldRef: A field of the pod.
  resourceFieldRef: Resources of a container.
core.v1/ResourceRequirements: What a container may use and must have.
  limits: The most that it may use.
  requests: What is kept free for it; the scheduler counts these. Default: the limits.
  claims: Claims of devices that it uses.
core.v1/VolumeMount: Where a volume appears in a container.
  name: The volume.
  mountPath: Where it appears.
  subPath: The part of the volume that appears.
  subPathExpr: The same with variables in it.
  readOnly: It cannot be written to.
  mountPropagation: Whether mounts made later are seen on the other side.
core.v1/Probe: A check that is made again and again.
  httpGet: A GET that must be answered with 200 to 399.
  tcpSocket: A port that must accept a connection.
  exec: A command that must end with 0.
  grpc: A gRPC health check.
  initialDelaySeconds: Seconds after the start before the first check.
  periodSeconds: Seconds between checks. Default 10.
  timeoutSeconds: A check that takes longer has failed. Default 1.
  successThreshold: So many successes in a row make it good. Default 1.
  failureThreshold: So many failures in a row make it bad. Default 3.
  terminationGracePeriodSeconds: Seconds that the container has to end when the check fails.
core.v1/HTTPGetAction: An HTTP request.
  path: Its path.
  port: The port, as a number or by its name.
  host: The host. Default: the pod.
  scheme: HTTP (default) or HTTPS.
  httpHeaders: More headers.
core.v1/Volume: Storage of a pod, by its name. It is of exactly one sort.
  name: Unique in the pod. A DNS label.
  emptyDir: An empty folder that lives as long as the pod.
  hostPath: A file or folder of the node.
  configMap: The keys of a ConfigMap as files.
  secret: The keys of a Secret as files.
  persistentVolumeClaim: The volume that a claim of the same namespace is bound to.
  projected: Several sources in one folder.
  downwardAPI: Fields of the pod as files.
  nfs: A share of an NFS server.
  csi: A volume of a CSI driver.
  ephemeral: A claim that lives as long as the pod.
core.v1/EmptyDirVolumeSource: An empty folder.
  medium: Memory keeps it in memory. Default: the disk of the node.
  sizeLimit: How much it may hold.
core.v1/ConfigMapVolumeSource: The keys of a ConfigMap as files.
  name: The ConfigMap.
  items: Certain keys, and the names of their files. Default: all.
  defaultMode: Mode of the files. Default 0644.
  optional: The ConfigMap need not be there.
core.v1/SecretVolumeSource: The keys of a Secret as files.
  secretName: The Secret.
  items: Certain keys, and the names of their files. Default: all.
  defaultMode: Mode of the files. Default 0644.
  optional: The Secret need not be there.
core.v1/PodSecurityContext: Rights and identity of all containers of a pod.
  runAsUser: User id of the processes.
  runAsGroup: Group id of the processes.
  runAsNonRoot: Containers that would run as root are refused.
  fsGroup: The group that volumes belong to.
  supplementalGroups: More groups of the processes.
  seccompProfile: Which system calls are allowed.
  sysctls: Settings of the kernel.
core.v1/SecurityContext: Rights and identity of one container.
  privileged: It may do what root may do on the node.
  capabilities: Rights of root that are added or taken away.
  allowPrivilegeEscalation: Whether processes may get more rights than their parent.
  readOnlyRootFilesystem: Its file system cannot be written to.
  runAsUser: User id of the processes.
  runAsGroup: Group id of the processes.
  runAsNonRoot: The container is refused if it would run as root.
core.v1/Toleration: Lets a pod onto nodes with a taint.
  key: The taint's key. Empty with operator Exists: all.
  operator: Equal (default) or Exists.
  value: The taint's value.
  effect: The taint's effect. Empty: all.
  tolerationSeconds: For NoExecute: for how long.
core.v1/Affinity: Wishes about where a pod runs.
  nodeAffinity: About labels of nodes.
  podAffinity: About pods that should be near.
  podAntiAffinity: About pods that should not.
core.v1/ObjectReference: Names an object.
core.v1/LocalObjectReference: Names an object of the same namespace.
  name: Its name.
`;
