import { goInstall } from './go-install.ts';
import type { Missing } from './missing.ts';

const VERSION = '0.64.0';

/** Where tflint is, with the rules that it brings; built with Go on first use (two minutes) and kept. */
export async function tflint(): Promise<string | Missing> {
  return goInstall({
    name: 'tflint',
    version: VERSION,
    module: `github.com/terraform-linters/tflint@v${VERSION}`,
  });
}
