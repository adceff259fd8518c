// Compiles the sources of an image beforehand, inside of it: `compile-sources.ts TREE USER`. Node keeps
// what it has compiled for one user id, and V8 takes it only under the flags that it was made with:
// this has to be started with those of the image's entry point.
import { chownSync, globSync, mkdirSync } from 'node:fs';
import { constants, enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [tree, user] = process.argv.slice(2);
if (tree === undefined || user === undefined) {
  throw new Error('usage: compile-sources.ts TREE USER');
}
const folder = join(tree, 'compiled');
mkdirSync(folder);
chownSync(folder, Number(user), Number(user));
process.setgid?.(Number(user));
process.setuid?.(Number(user));
const { status, message } = enableCompileCache(folder);
if (status !== constants.compileCacheStatus.ENABLED) {
  throw new Error(`keep compiled sources in ${folder}: ${message}`);
}
// All but what would run the command line. The one of a thread does nothing outside of one.
for (const file of globSync('packages/*/src/**/*.ts', { cwd: tree })) {
  if (!file.endsWith('/main.ts')) await import(pathToFileURL(join(tree, file)).href);
}
flushCompileCache();
process.exit();
