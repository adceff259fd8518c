import { createHash } from 'node:crypto';
import { DEFAULT_STORE_DIR, encodeNar, formatContentAddress, makeFixedOutputPath } from '@flywheel/nix';
import { narOfPath } from './nar-of-path.ts';
import type { PathSource } from './path-source.ts';
