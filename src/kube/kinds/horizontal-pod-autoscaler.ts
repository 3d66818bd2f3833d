import { AGE, age, NAME, nameOf, text, UNKNOWN, UNSET } from './columns.js';
import type { KindDefinition } from './define.js';
import { defineKind } from './define.js';
import { hpaToV1, hpaToV2 } from './hpa-conversion.js';
import { validateHpaSpec } from './hpa-validation.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { fill, listOf, unset, within } from './loose.js';

const CPU_PERCENT = 80;
const METRICS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/metrics';
const SHOWN_METRICS = 2;

/** Only rules that were begun are completed: without any, the controller has its own. */
function setRulesDefaults(behavior: Loose): void {
  if (!behavior) return;
  const up = within(behavior, 'scaleUp');
  fill(up, 'stabilizationWindowSeconds', 0);
  fill(up, 'selectPolicy', 'Max');
  fill(up, 'policies', [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ]);
  const down = within(behavior, 'scaleDown');
  fill(down, 'selectPolicy', 'Max');
  fill(down, 'policies', [{ type: 'Percent', value: 100, periodSeconds: 15 }]);
}

function valueText(value: Loose, percent: boolean): string {
  if (unset(value)) return UNKNOWN;
  return percent ? `${value}%` : String(value);
}

/** `cpu: 12%/50%` */
function metricText(metric: Loose, current: Loose): string {
  const member = `${metric.type?.[0]?.toLowerCase()}${metric.type?.slice(1)}`;
  const source = metric[member] ?? {};
  const now = current?.[member]?.current ?? {};
  const target = source.target ?? {};
  const name = metric.type === 'Resource' || metric.type === 'ContainerResource' ? `${source.name}: ` : '';
  if (!unset(target.averageUtilization)) {
    return `${name}${valueText(now.averageUtilization, true)}/${target.averageUtilization}%`;
  }
  if (!unset(target.averageValue)) {
    const suffix = name === '' && metric.type !== 'Pods' ? ' (avg)' : '';
    return `${name}${valueText(now.averageValue, false)}/${target.averageValue}${suffix}`;
  }
  return `${name}${valueText(now.value, false)}/${unset(target.value) ? '<auto>' : target.value}`;
}

function targetsText(spec: Loose, status: Loose): string {
  const metrics = listOf(spec?.metrics);
  const current = listOf(status?.currentMetrics);
  if (metrics.length === 0) return '<none>';
  const shown = metrics.slice(0, SHOWN_METRICS).map((metric, i) => metricText(metric, current[i]));
  const more = metrics.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` + ${more} more...` : ''}`;
}

const common = {
  group: 'autoscaling',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  description: 'HorizontalPodAutoscaler changes the number of pods of a Deployment (or the like) with their load.',
  hasStatus: true,
  columns: [
    NAME,
    text('Reference', 'What it scales.'),
    text('Targets', 'Metrics as they are and as they should be.'),
    text('MinPods', 'Never fewer pods.'),
    text('MaxPods', 'Never more pods.'),
    text('Replicas', 'Pods that there are.'),
    AGE,
  ],
  prepareForCreate(object) {
    delete object.status;
  },
} satisfies Partial<KindDefinition>;

function cellsOfV2(object: Parameters<NonNullable<Kind['cells']>>[0], now: number) {
  const { spec, status } = object;
  const target = spec?.scaleTargetRef ?? {};
  return [
    nameOf(object),
    `${target.kind}/${target.name}`,
    targetsText(spec, status),
    unset(spec?.minReplicas) ? UNSET : String(spec.minReplicas),
    String(spec?.maxReplicas ?? 0),
    String(status?.currentReplicas ?? 0),
    age(object, now),
  ];
}

export const hpaKind: Kind = defineKind({
  ...common,
  version: 'v2',
  setDefaults(object) {
    const spec = within(object, 'spec');
    fill(spec, 'minReplicas', 1);
    if (listOf(spec.metrics).length === 0) {
      const target = { type: 'Utilization', averageUtilization: CPU_PERCENT };
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
    }
    setRulesDefaults(spec.behavior);
  },
  validate: (object) => validateHpaSpec(object.spec ?? {}),
  cells: cellsOfV2,
});

/** The older form of the same objects, which have their CPU target in one number. */
export const hpaV1Kind: Kind = defineKind({
  ...common,
  version: 'v1',
  storedApiVersion: 'autoscaling/v2',
  toStored: hpaToV2,
  fromStored: hpaToV1,
  setDefaults(object) {
    const spec = within(object, 'spec');
    fill(spec, 'minReplicas', 1);
    if (unset(spec.targetCPUUtilizationPercentage) && !object.metadata.annotations?.[METRICS_ANNOTATION]) {
      spec.targetCPUUtilizationPercentage = CPU_PERCENT;
    }
  },
  validate: (object) => validateHpaSpec(hpaToV2(object).spec),
  cells: (object, now) => cellsOfV2(hpaToV2(object), now),
});
