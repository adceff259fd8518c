// Adds OpenTofu to the bill of materials of an image, inside of it: `bill-tofu.ts BILL PROGRAM`. Its
// version and hash are those of the program that is there, whatever image it came from.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { withProgram } from './sbom.ts';

const [bill, program] = process.argv.slice(2);
if (bill === undefined || program === undefined)
  throw new Error('usage: bill-tofu.ts BILL PROGRAM');
const said = execFileSync(program, ['version', '-json'], {
  encoding: 'utf8',
  env: { CHECKPOINT_DISABLE: '1', HOME: '/tmp' },
});
// OpenTofu keeps the name that Terraform's own has there.
const { terraform_version: version } = JSON.parse(said) as { readonly terraform_version: string };
const sha256 = createHash('sha256').update(readFileSync(program)).digest('hex');
const tofu = {
  name: 'opentofu',
  version,
  purl: `pkg:golang/github.com/opentofu/opentofu@v${version}`,
  license: 'MPL-2.0',
  sha256,
};
writeFileSync(bill, withProgram(readFileSync(bill, 'utf8'), tofu));
