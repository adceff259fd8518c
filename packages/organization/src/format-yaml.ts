import { stringify } from 'yaml';

/** Plain data as YAML 1.2 that YAML 1.1 reads the same: `yes` and `1e3` are in quotes. */
export function formatYaml(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}
