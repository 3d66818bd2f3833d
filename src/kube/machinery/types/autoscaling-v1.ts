/** Wire types of autoscaling.v1, one message a line (grammar: `line.ts`). Made by scripts/kube-types.mjs: facts, not code. */
import type { TypeGroup } from './type-group.js';

export const autoscalingV1: TypeGroup = {
  name: 'autoscaling.v1',
  group: 'autoscaling',
  version: 'v1',
  openapi: 'io.k8s.api.autoscaling.v1',
  table: `
ContainerResourceMetricSource = 1 name s!; 2 targetAverageUtilization i?; 3 targetAverageValue resource/Quantity?; 5 container s!
ContainerResourceMetricStatus = 1 name s!; 2 currentAverageUtilization i?; 3 currentAverageValue resource/Quantity!; 4 container s!
CrossVersionObjectReference(atomic) = 1 kind s!; 2 name s!; 3 apiVersion s
ExternalMetricSource = 1 metricName s!; 2 metricSelector meta.v1/LabelSelector?; 3 targetValue resource/Quantity?; 4 targetAverageValue resource/Quantity?
ExternalMetricStatus = 1 metricName s!; 2 metricSelector meta.v1/LabelSelector?; 3 currentValue resource/Quantity!; 4 currentAverageValue resource/Quantity?
HorizontalPodAutoscaler = 1 metadata meta.v1/ObjectMeta; 2 spec HorizontalPodAutoscalerSpec; 3 status HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerCondition = 1 type s!; 2 status s!; 3 lastTransitionTime meta.v1/Time; 4 reason s; 5 message s
HorizontalPodAutoscalerSpec = 1 scaleTargetRef CrossVersionObjectReference!; 2 minReplicas i?; 3 maxReplicas i!; 4 targetCPUUtilizationPercentage i?
HorizontalPodAutoscalerStatus = 1 observedGeneration l?; 2 lastScaleTime meta.v1/Time?; 3 currentReplicas i!; 4 desiredReplicas i!; 5 currentCPUUtilizationPercentage i?
MetricSpec = 1 type s!; 2 object ObjectMetricSource?; 3 pods PodsMetricSource?; 4 resource ResourceMetricSource?; 7 containerResource ContainerResourceMetricSource?; 5 external ExternalMetricSource?
MetricStatus = 1 type s!; 2 object ObjectMetricStatus?; 3 pods PodsMetricStatus?; 4 resource ResourceMetricStatus?; 7 containerResource ContainerResourceMetricStatus?; 5 external ExternalMetricStatus?
ObjectMetricSource = 1 target CrossVersionObjectReference!; 2 metricName s!; 3 targetValue resource/Quantity!; 4 selector meta.v1/LabelSelector?; 5 averageValue resource/Quantity?
ObjectMetricStatus = 1 target CrossVersionObjectReference!; 2 metricName s!; 3 currentValue resource/Quantity!; 4 selector meta.v1/LabelSelector?; 5 averageValue resource/Quantity?
PodsMetricSource = 1 metricName s!; 2 targetAverageValue resource/Quantity!; 3 selector meta.v1/LabelSelector?
PodsMetricStatus = 1 metricName s!; 2 currentAverageValue resource/Quantity!; 3 selector meta.v1/LabelSelector?
ResourceMetricSource = 1 name s!; 2 targetAverageUtilization i?; 3 targetAverageValue resource/Quantity?
ResourceMetricStatus = 1 name s!; 2 currentAverageUtilization i?; 3 currentAverageValue resource/Quantity!
Scale = 1 metadata meta.v1/ObjectMeta; 2 spec ScaleSpec; 3 status ScaleStatus
ScaleSpec = 1 replicas i
ScaleStatus = 1 replicas i!; 2 selector s
`,
};
