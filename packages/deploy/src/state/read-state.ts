import { readFile } from 'node:fs/promises';
import { FlywheelError, isFlywheelError, messageOf, toFlywheelError } from '@flywheel/base';
import { z } from 'zod';
import type { Backend, GitlabBackend } from './backend.ts';
import { gitlabRequest } from './gitlab-request.ts';

/** What of a state is no secret. */
export interface StateVersion {
  /** Made with the state and kept for its life: another one is another state. */
  readonly lineage: string;
  /** Counts the writes. */
  readonly serial: number;
  /** How many objects it holds; unknown of an encrypted state. */
  readonly objects?: number;
  readonly encrypted: boolean;
}

// Format 4 of OpenTofu; an encrypted state has the same frame, with the rest in one field.
const stateFile = z.object({
  lineage: z.string(),
  serial: z.number(),
  resources: z.array(z.object({ mode: z.string(), instances: z.array(z.unknown()) })).optional(),
  encrypted_data: z.string().optional(),
});

/**
 * The state as it is now; undefined when there is none yet. Everything else that keeps it from being
 * read throws: taken for an empty state, it would have all objects made a second time.
 */
export async function readState(backend: Backend): Promise<StateVersion | undefined> {
  const text =
    backend.kind === 'gitlab' ? await fetchState(backend) : await readLocalState(backend.file);
  if (text === undefined) return undefined;
  const { lineage, serial, resources, encrypted_data: encrypted } = parseState(backend, text);
  if (encrypted !== undefined) return { lineage, serial, encrypted: true };
  const objects = (resources ?? [])
    .filter(({ mode }) => mode === 'managed')
    .reduce((sum, { instances }) => sum + instances.length, 0);
  return { lineage, serial, objects, encrypted: false };
}

function parseState({ name }: Backend, text: string): z.infer<typeof stateFile> {
  try {
    return stateFile.parse(JSON.parse(text));
  } catch (error) {
    throw new FlywheelError('corrupt', `the state ${name} is not one of OpenTofu`, {
      cause: error,
      details: {
        hint: 'Nothing was changed. GitLab keeps earlier versions: Operate > Terraform states.',
      },
    });
  }
}

async function fetchState(backend: GitlabBackend): Promise<string | undefined> {
  const attempted = `read the state ${backend.name}`;
  const { status, body } = await gitlabRequest(backend, { attempted, path: '', method: 'GET' });
  if (status === 204) return undefined;
  // GitLab says the same status for a state that was never written and for a project that this
  // token may not see. tofu takes both for an empty state.
  if (status === 404 && !/project/i.test(body)) return undefined;
  if (status === 404) {
    throw new FlywheelError('not-found', `${attempted}: GitLab shows this token no such project`, {
      details: { hint: `Is gitlab.deployProject.id right, and the token one of that project?` },
    });
  }
  if (body.trim() === '') {
    throw new FlywheelError('unavailable', `${attempted}: GitLab answered ${status} with nothing`, {
      details: { hint: 'An empty answer is no empty state: nothing was changed. Try again.' },
    });
  }
  return body;
}

async function readLocalState(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isFlywheelError(toFlywheelError(error), 'not-found')) return undefined;
    throw new FlywheelError('unavailable', `read the state ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
