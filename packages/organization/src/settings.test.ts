import { expect, test } from 'vitest';
import { mergeKeyOf } from './merge-keys.ts';
import { allSettings, formatSettingPath } from './settings.ts';

test('every key says what it is for', () => {
  const silent = [...allSettings()]
    .filter(({ schema }) => schema.description === undefined)
    .map(({ path }) => formatSettingPath(path));

  expect(silent).toEqual([]);
});

test('no description ends in a full stop: what shows it adds one', () => {
  const ended = [...allSettings()].filter(({ schema }) => schema.description?.endsWith('.'));

  expect(ended.map(({ path }) => formatSettingPath(path))).toEqual([]);
});

test('lists that are merged by a field, and by which', () => {
  const merged = [...allSettings()].flatMap(({ path, schema }) =>
    schema.mergeKey === undefined ? [] : [`${formatSettingPath(path)} ${schema.mergeKey}`],
  );

  expect(merged).toEqual([
    'cache.caches.NAME.upstreams url',
    'dashboard.access group',
    'networkPolicy.egress name',
    'images.mirrors registry',
  ]);
  expect(mergeKeyOf(['cache', 'caches', 'main', 'upstreams'])).toBe('url');
  expect(mergeKeyOf(['images', 'mirrors'])).toBe('registry');
  expect(mergeKeyOf(['runners', 'docker', 'tags'])).toBeUndefined();
  expect(mergeKeyOf(['nothing', 'such'])).toBeUndefined();
});
