// The one definition of organization.yaml. Types, validation, the JSON Schema for editors and the
// reference in docs/ are all made of it.
import { z } from 'zod';
import { cache } from './cache.ts';
import { environments } from './environments.ts';
import { dnsLabel, text } from './formats.ts';
import { gitlab } from './gitlab.ts';
import { images } from './images.ts';
import { ingress } from './ingress.ts';
import { namespaces } from './namespaces.ts';
import { dashboard, monitoring, networkPolicy, scaler } from './operations.ts';
import { runners } from './runners.ts';
import { secrets } from './secrets.ts';

export const API_VERSION = 'flywheel/v1';

export const organizationSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION).describe('Version of the schema of this file'),
  organization: z
    .strictObject({
      name: dnsLabel.describe('Short name; names in GitLab and Kubernetes begin with it'),
      title: text.optional().describe('Name for people; without it, the short one'),
    })
    .describe('Whose infrastructure this is'),
  gitlab: gitlab.describe('GitLab, and what of it belongs to this'),
  environments,
  namespaces: namespaces.prefault({}).describe('Namespaces of Kubernetes, made by flywheel'),
  secrets: secrets.prefault({}).describe('Names of Kubernetes Secrets, never values'),
  ingress: ingress.prefault({}).describe('How requests come into the cluster'),
  cache: cache.prefault({}).describe('The binary cache'),
  runners,
  scaler: scaler.prefault({}).describe('The autoscaler of runners'),
  dashboard: dashboard.prefault({}).describe('The dashboard'),
  monitoring: monitoring.prefault({}).describe('Metrics, alerts and boards'),
  networkPolicy: networkPolicy.prefault({}).describe('Which network paths are open'),
  images: images.describe('Images, and where they are pulled from'),
});

/** A validated organization with all defaults filled in. */
export type Organization = z.output<typeof organizationSchema>;
export type Section = keyof Organization;
