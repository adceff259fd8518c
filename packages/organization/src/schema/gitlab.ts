import { z } from 'zod';
import { dnsLabel, gitlabId, gitlabPath, httpUrl, text } from './formats.ts';

const project = z.strictObject({
  path: gitlabPath.describe('Path with all groups above it'),
  id: gitlabId.describe('Number of the project, from its front page'),
});

export const gitlab = z.strictObject({
  url: httpUrl.default('https://gitlab.com').describe('Where GitLab is'),
  group: gitlabPath.describe('Group whose jobs runners take'),
  groupId: gitlabId.describe('Number of the group, from its front page'),
  deployProject: project
    .extend({
      branch: text.default('main').describe('Branch whose pipelines deploy'),
    })
    .describe('Project that deploys: it holds this file, the OpenTofu state and the pipelines'),
  projects: z
    .record(dnsLabel, project)
    .default({})
    .describe('Further projects by a short name, for runners that serve only one'),
});
