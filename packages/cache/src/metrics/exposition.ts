import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { CACHE_METRICS, type CacheMetric, type Reading } from './cache-metrics.ts';
import { DURATION_BOUNDS, type RequestFigures } from './request-figures.ts';
import type { MetricsSources } from './sources.ts';

/** All metrics in Prometheus' text format 0.0.4, each call with the values of its moment. */
export function createExposition(sources: MetricsSources): () => Promise<string> {
  const registry = new Registry();
  registry.registerMetric(requestCounter(sources.requests));
  registry.registerMetric(new RequestDurations(sources.requests));
  for (const metric of CACHE_METRICS) add(registry, sources, metric);
  // Of the process: memory, CPU, files, the event loop's lag, garbage collections.
  collectDefaultMetrics({ register: registry });
  return () => registry.metrics();
}

function add(registry: Registry, sources: MetricsSources, metric: CacheMetric): void {
  const { name, help, kind, label } = metric;
  const options = {
    name,
    help,
    labelNames: label === undefined ? [] : [label],
    registers: [],
    async collect(this: Counter | Gauge) {
      const reading = await readingOf(metric, sources);
      // Not before the wait: of two scrapes at once, each must see its own.
      this.reset();
      if (typeof reading === 'number') this.inc(reading);
      else if (label !== undefined) {
        for (const [value, count] of Object.entries(reading)) this.inc({ [label]: value }, count);
      }
    },
  };
  registry.registerMetric(kind === 'counter' ? new Counter(options) : new Gauge(options));
}

/** While the database is away, what is counted there is missing, and the rest is shown. */
async function readingOf(metric: CacheMetric, sources: MetricsSources): Promise<Reading> {
  try {
    return await metric.read(sources);
  } catch {
    return {};
  }
}

function requestCounter(requests: RequestFigures): Counter {
  return new Counter({
    name: 'flywheel_cache_requests_total',
    help: 'Requests by endpoint and status; 499 is a client that hung up before its answer.',
    labelNames: ['route', 'status'],
    registers: [],
    collect() {
      this.reset();
      for (const [route, { byStatus }] of requests.routes()) {
        for (const [status, count] of byStatus) this.inc({ route, status: String(status) }, count);
      }
    },
  });
}

/** A histogram whose buckets are counted elsewhere. */
class RequestDurations extends Histogram<'route'> {
  readonly #requests: RequestFigures;

  constructor(requests: RequestFigures) {
    super({ name: DURATION.name, help: DURATION.help, labelNames: ['route'], registers: [] });
    this.#requests = requests;
  }

  /** What the registry calls for the text format; the type declarations do not know it. */
  async getForPromString(): Promise<unknown> {
    const values: { metricName: string; labels: Record<string, string | number>; value: number }[] =
      [];
    for (const [route, { durations, count, seconds }] of this.#requests.routes()) {
      const put = (suffix: string, value: number, le?: string | number): void => {
        const labels = le === undefined ? { route } : { le, route };
        values.push({ metricName: `${DURATION.name}_${suffix}`, labels, value });
      };
      let upTo = 0;
      for (const [place, bound] of DURATION_BOUNDS.entries()) {
        upTo += durations[place] as number;
        put('bucket', upTo, bound);
      }
      put('bucket', count, '+Inf');
      put('sum', seconds);
      put('count', count);
    }
    return { ...DURATION, type: 'histogram', values };
  }
}

const DURATION = {
  name: 'flywheel_cache_request_duration_seconds',
  help: 'From the head of a request to the end of its answer; of a transfer, the line is a part.',
};
