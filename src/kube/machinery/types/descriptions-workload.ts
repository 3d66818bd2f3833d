/** Words for the kinds that make pods. */
export const workloadDescriptions = `
apps.v1/Deployment: Keeps a number of equal pods running, and brings new versions of them out step by step.
apps.v1/DeploymentSpec: What pods, how many, and how they are replaced.
  replicas: How many pods. Default 1.
  selector: Which pods belong to it. It must match the template's labels and cannot change.
  template: What the pods look like. A change of it brings out a new version.
  strategy: How old pods are replaced by new ones.
  minReadySeconds: A new pod counts when it has been ready for so long.
  revisionHistoryLimit: How many old versions are kept for going back. Default 10.
  paused: Changes of the template wait.
  progressDeadlineSeconds: After so long without progress the deployment is said to have failed. Default 600.
apps.v1/DeploymentStrategy: How old pods are replaced.
  type: RollingUpdate (default), or Recreate: all old ones go first.
  rollingUpdate: How many at a time.
apps.v1/RollingUpdateDeployment: How many pods are replaced at a time; numbers or percentages of replicas.
  maxSurge: How many there may be too many. Default 25%.
  maxUnavailable: How many may be missing. Default 25%.
apps.v1/DeploymentStatus: How far the deployment is.
  replicas: Pods that are there.
  updatedReplicas: Pods of the latest version.
  readyReplicas: Pods that are ready.
  availableReplicas: Pods that have been ready for minReadySeconds.
  unavailableReplicas: Pods that are still missing.
  collisionCount: How often the name of a replica set was already taken.
apps.v1/ReplicaSet: Keeps a number of equal pods running. Deployments make them.
apps.v1/ReplicaSetSpec: What pods, and how many.
  replicas: How many pods. Default 1.
  selector: Which pods belong to it. It cannot change.
  template: What the pods look like.
  minReadySeconds: A new pod counts when it has been ready for so long.
apps.v1/ReplicaSetStatus: How many pods there are.
  replicas: Pods that are there.
  fullyLabeledReplicas: Pods with all labels of the template.
  readyReplicas: Pods that are ready.
  availableReplicas: Pods that have been ready for minReadySeconds.
apps.v1/StatefulSet: Keeps pods running that have names, numbers and storage of their own.
apps.v1/StatefulSetSpec: What pods, how many, and in which order.
  replicas: How many pods. Default 1.
  selector: Which pods belong to it. It cannot change.
  template: What the pods look like.
  serviceName: The headless service that gives the pods their names.
  volumeClaimTemplates: Claims that each pod gets for itself. They outlive the pod.
  podManagementPolicy: OrderedReady (default) makes one after the other, Parallel all at once.
  updateStrategy: How pods of an old version are replaced.
  revisionHistoryLimit: How many old versions are kept. Default 10.
  minReadySeconds: A new pod counts when it has been ready for so long.
  persistentVolumeClaimRetentionPolicy: What becomes of claims when the set shrinks or goes.
  ordinals: Where the numbers begin.
apps.v1/StatefulSetUpdateStrategy: How pods of an old version are replaced.
  type: RollingUpdate (default) or OnDelete.
  rollingUpdate: Which pods.
apps.v1/StatefulSetStatus: How far the set is.
  replicas: Pods that are there.
  readyReplicas: Pods that are ready.
  currentReplicas: Pods of the current version.
  updatedReplicas: Pods of the new version.
  currentRevision: Name of the current version.
  updateRevision: Name of the new version.
apps.v1/DaemonSet: Keeps one pod running on every node, or on those that are chosen.
apps.v1/DaemonSetSpec: What pods, and how they are replaced.
  selector: Which pods belong to it. It cannot change.
  template: What the pods look like. Its node selector and affinity choose the nodes.
  updateStrategy: How pods of an old version are replaced.
  minReadySeconds: A new pod counts when it has been ready for so long.
  revisionHistoryLimit: How many old versions are kept. Default 10.
apps.v1/DaemonSetStatus: How far the set is.
  desiredNumberScheduled: Nodes that should have a pod.
  currentNumberScheduled: Of those, nodes that have one.
  numberMisscheduled: Nodes that have one and should not.
  numberReady: Nodes whose pod is ready.
  updatedNumberScheduled: Nodes with a pod of the latest version.
  numberAvailable: Nodes whose pod has been ready for minReadySeconds.
apps.v1/ControllerRevision: A version of the pods of a StatefulSet or DaemonSet. It never changes.
batch.v1/Job: Runs pods until enough of them have succeeded.
batch.v1/JobSpec: What pods, how many, and how often they may fail.
  template: What the pods look like. Their restartPolicy is OnFailure or Never.
  completions: How many pods must succeed. Absent: one success is enough.
  parallelism: How many pods run at the same time. Default 1.
  backoffLimit: So many failures make the job fail. Default 6.
  activeDeadlineSeconds: The job fails when it has run for so long.
  ttlSecondsAfterFinished: The job is deleted so long after its end.
  completionMode: NonIndexed (default), or Indexed: each pod has a number of its own.
  suspend: No pods run while it is true.
  selector: Which pods belong to it; normally set by the server.
  manualSelector: The selector is the caller's own.
  podFailurePolicy: Which failures count, and which end the job.
batch.v1/JobStatus: How far the job is.
  active: Pods that run or wait to.
  succeeded: Pods that have succeeded.
  failed: Pods that have failed.
  startTime: When it began.
  completionTime: When it was complete.
batch.v1/CronJob: Makes jobs at certain times.
batch.v1/CronJobSpec: Which jobs, and when.
  schedule: Minute, hour, day of the month, month, day of the week, as in cron.
  timeZone: The time zone of the schedule. Default: that of the controller.
  jobTemplate: What the jobs look like.
  concurrencyPolicy: What happens when the last job still runs: Allow (default), Forbid or Replace.
  suspend: No new jobs are made.
  startingDeadlineSeconds: A job that could not be made for so long is left out.
  successfulJobsHistoryLimit: How many successful jobs are kept. Default 3.
  failedJobsHistoryLimit: How many failed jobs are kept. Default 1.
batch.v1/CronJobStatus: What became of the schedule.
  active: Jobs that run.
  lastScheduleTime: When a job was last made.
  lastSuccessfulTime: When one last succeeded.
autoscaling.v2/HorizontalPodAutoscaler: Changes the number of replicas of something, by metrics.
autoscaling.v2/HorizontalPodAutoscalerSpec: What is scaled, how far, and by what.
  scaleTargetRef: What is scaled.
  minReplicas: Not fewer. Default 1.
  maxReplicas: Not more.
  metrics: The metric that asks for the most replicas wins. Default: 80% of the requested CPU.
  behavior: How fast it goes up and down.
autoscaling.v2/HorizontalPodAutoscalerStatus: What was last found.
  currentReplicas: How many there are.
  desiredReplicas: How many there should be.
  currentMetrics: The metrics as they were last read.
  lastScaleTime: When the number last changed.
autoscaling.v1/HorizontalPodAutoscaler: Changes the number of replicas of something, by its use of CPU.
autoscaling.v1/HorizontalPodAutoscalerSpec: What is scaled, and how far.
  scaleTargetRef: What is scaled.
  minReplicas: Not fewer. Default 1.
  maxReplicas: Not more.
  targetCPUUtilizationPercentage: The use of requested CPU to aim at, on average.
autoscaling.v1/Scale: The number of replicas of something, for those who know no more of it.
policy.v1/PodDisruptionBudget: How many pods of a set may be evicted at the same time.
policy.v1/PodDisruptionBudgetSpec: Which pods, and how many must stay.
  selector: The pods. Empty: all of the namespace.
  minAvailable: So many must stay; a number or a percentage.
  maxUnavailable: So many may be missing; a number or a percentage. Instead of minAvailable.
policy.v1/Eviction: Asks for a pod to be deleted, as far as budgets allow.
  deleteOptions: How it is deleted.
scheduling.v1/PriorityClass: How important pods are, by a name.
  value: The higher, the more important.
  globalDefault: For pods that name no class.
  description: For whom the class is meant.
  preemptionPolicy: Whether its pods may drive out others: PreemptLowerPriority (default) or Never.
coordination.v1/Lease: A lock that its holder must renew.
discovery.v1/EndpointSlice: Some of the addresses behind a service.
`;
