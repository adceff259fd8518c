import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isMissing, startKubernetesApi } from '@flywheel/testing';
import type { ControlPlane } from '@flywheel/testing';

const found = await startKubernetesApi();

describe('an API server without a node', () => {
  if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
  else declare(found);
});

function declare(plane: ControlPlane): void {
  test('keeps objects, knows whom it lets in, and leaves nothing behind', async () => {
    const created = await plane.kubectl(['create', 'namespace', 'attic']);
    expect(created.stdout).toBe('namespace/attic created\n');
    const secret = ['secret', 'generic', 'keys', '--namespace=attic', '--from-literal=a=b'];
    expect((await plane.kubectl(['create', ...secret])).status).toBe(0);

    const read = ['get', 'secret', 'keys', '--namespace=attic', '--output=jsonpath={.data.a}'];
    expect((await plane.kubectl(read)).stdout).toBe('Yg==');
    const denied = await plane.kubectl([...read, '--as=somebody']);
    expect(denied.stderr).toContain('User "somebody" cannot get resource "secrets"');

    await plane[Symbol.asyncDispose]();
    expect(existsSync(dirname(plane.kubeconfig))).toBe(false);
  });
}
