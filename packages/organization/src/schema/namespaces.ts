import { z } from 'zod';
import { dnsLabel } from './formats.ts';

export const namespaces = z.strictObject({
  cache: dnsLabel.default('flywheel-cache').describe('Cache, its database and its object store'),
  runners: dnsLabel.default('flywheel-runners').describe('Managers of the runners, and the scaler'),
  jobs: dnsLabel.default('flywheel-jobs').describe('Pods of jobs'),
  dashboard: dnsLabel.default('flywheel-dashboard').describe('Dashboard'),
  operators: dnsLabel.default('cnpg-system').describe('CloudNativePG and its backup plugin'),
});
