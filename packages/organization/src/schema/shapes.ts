import { z } from 'zod';
import { quantity } from './formats.ts';

/** A list whose items layers merge by `field`, which tells them apart. */
export function listBy<ITEM extends z.ZodObject>(field: string & keyof ITEM['shape'], item: ITEM) {
  return z.array(item).meta({ mergeKey: field });
}

/** What a pod asks for and may take at most. CPU has no limit unless given: limits throttle. */
export function resources(defaults: {
  readonly cpu: string;
  readonly memory: string;
  readonly memoryLimit: string;
}) {
  return z.strictObject({
    requests: z
      .strictObject({
        cpu: quantity.default(defaults.cpu).describe('CPU that is set aside'),
        memory: quantity.default(defaults.memory).describe('Memory that is set aside'),
      })
      .prefault({})
      .describe('What the scheduler sets aside'),
    limits: z
      .strictObject({
        cpu: quantity.optional().describe('CPU at most; without it, what the node has left'),
        memory: quantity.default(defaults.memoryLimit).describe('Memory at most'),
      })
      .prefault({})
      .describe('What it may take at most'),
  });
}
