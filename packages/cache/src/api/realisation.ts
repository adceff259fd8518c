import { z } from 'zod';
import { collect, isFlywheelError } from '@flywheel/base';
import { isStoreBaseName } from '@flywheel/nix';
import { MAX_SIGNATURES } from '../db/put-object.ts';
import { auditOften } from './audit.ts';
import { authorize } from './authorize.ts';
import { wireError } from './error-response.ts';
import { keptSignatures } from './kept-signatures.ts';
import type { ApiParts } from './parts.ts';
import { bodyOf, parseJson } from './request-body.ts';
import type { Handler } from './router.ts';
import { visibilityHeader } from './visibility.ts';

const BODY_LIMIT = 1024 * 1024;
const ID = /^sha256:[0-9a-f]{64}![0-9A-Za-z+\-._?=]{1,211}$/;

const BaseName = z.string().refine(isStoreBaseName, 'not a store base name');
const Id = z.string().regex(ID, 'not of the form sha256:<hex>!<output>');
const RealisationBody = z.object({
  id: Id,
  outPath: BaseName,
  signatures: z.array(z.string()).default([]),
  dependentRealisations: z.record(Id, BaseName).default({}),
});

/**
 * PUT /{cache}/realisations/{id}.doi: what a content-addressed derivation turned out to be, as
 * `nix copy` sends it after the paths.
 */
export function putRealisation(parts: ApiParts): Handler {
  return async (c) => {
    const id = idOf(c.param('file'));
    const { cache } = await authorize(parts, c, c.param('cache'), 'push');
    const body = await collect(bodyOf(c), BODY_LIMIT).catch((error: unknown) => {
      if (isFlywheelError(error, 'too-large')) throw wireError('PayloadTooLarge', error.message);
      throw error;
    });
    const realisation = parseJson(body.toString('utf8'), RealisationBody);
    if (realisation.id !== id) {
      throw wireError('RequestError', `the realisation of ${realisation.id} was put as ${id}`);
    }
    await parts.store.metadata.putRealisation(
      cache.id,
      {
        id,
        outPathHash: realisation.outPath.slice(0, 32),
        content: signedText(realisation),
        sigs: keptSignatures(realisation.signatures),
      },
      MAX_SIGNATURES,
    );
    const target = `realisations/${id}`;
    auditOften(parts, c, { action: 'push', cache: cache.name, target });
    return c.body(null, 201);
  };
}

/** GET /{cache}/realisations/{id}.doi, signed with the cache's key as narinfos are. */
export function getRealisation(parts: ApiParts): Handler {
  return async (c) => {
    const id = idOf(c.param('file'));
    const { cache } = await authorize(parts, c, c.param('cache'), 'pull');
    const found = await parts.store.metadata.findRealisation(cache.id, id);
    if (found === undefined) throw wireError('NoSuchObject');
    const ours = cache.key.sign(found.content);
    const signatures = [...new Set([ours, ...found.sigs])];
    const content = JSON.parse(found.content) as Record<string, unknown>;
    return c.json({ ...content, signatures }, 200, visibilityHeader(cache));
  };
}

/** What Nix signs: the JSON without signatures, its keys sorted and nothing between its words. */
function signedText(realisation: z.infer<typeof RealisationBody>): string {
  const dependents = Object.entries(realisation.dependentRealisations);
  return JSON.stringify({
    dependentRealisations: Object.fromEntries(dependents.sort(([a], [b]) => (a < b ? -1 : 1))),
    id: realisation.id,
    outPath: realisation.outPath,
  });
}

function idOf(file: string): string {
  const id = file.endsWith('.doi') ? file.slice(0, -'.doi'.length) : '';
  if (!ID.test(id)) throw wireError('NotFound');
  return id;
}
