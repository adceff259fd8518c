import { z } from 'zod';

const Fault = z.object({
  /** The pack's key, or the NAR's hash in base 16. */
  pack: z.string().optional(),
  nar: z.string().optional(),
  fault: z.string(),
  /** NARs that are missing because of it. */
  nars: z.number(),
});

type Fault = z.infer<typeof Fault>;

const Found = z.object({
  deep: z.boolean(),
  packs: z.number(),
  bytes: z.number(),
  nars: z.number(),
  damaged_packs: z.number(),
  /** NARs that were intact as far as anybody knew, and are missing now. */
  damaged_nars: z.number(),
  /** The first of them. */
  faults: z.array(Fault),
  unknown: z
    .object({
      blobs: z.number(),
      bytes: z.number(),
      removed: z.number(),
      examples: z.array(z.string()),
      /** Why none were removed although that was asked for. */
      kept_because: z.string().optional(),
    })
    .optional(),
});

/** The result of a scrub, as it is kept and as the API shows it. */
export type ScrubFound = z.infer<typeof Found>;

const Tally = z.object({
  phase: z.enum(['packs', 'nars', 'blobs']),
  /** The last row of this phase that was looked at. */
  after: z.number(),
  found: Found,
});

/** How far a scrub is, and what it has found: all that another process needs to go on. */
export type ScrubTally = z.infer<typeof Tally>;

const FAULTS = 100;

export function newTally(deep: boolean): ScrubTally {
  const found = {
    deep,
    packs: 0,
    bytes: 0,
    nars: 0,
    damaged_packs: 0,
    damaged_nars: 0,
    faults: [],
  };
  return { phase: 'packs', after: 0, found };
}

/** The tally that an interrupted run has left; undefined when it came to nothing. */
export function resumedTally(kept: unknown): ScrubTally | undefined {
  return Tally.safeParse(kept).data;
}

export function addFault({ found }: ScrubTally, fault: Fault): void {
  if (fault.pack !== undefined) found.damaged_packs += 1;
  found.damaged_nars += fault.nars;
  if (found.faults.length < FAULTS) found.faults.push(fault);
}

export function enterPhase(tally: ScrubTally, phase: ScrubTally['phase']): void {
  tally.phase = phase;
  tally.after = 0;
}
