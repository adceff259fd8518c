import { expect, test } from 'vitest';
import { parseListenAddress } from './listen-address.ts';

test.each([
  ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['[::1]:80', { host: '::1', port: 80 }],
])('%s', (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});

test.each(['8080', ':8080', '::1:80', 'localhost', 'localhost:65536', 'http://x:1', 'a b:1'])(
  '%s is refused',
  (text) => {
    expect(() => parseListenAddress(text)).toThrow(/write HOST:PORT/);
  },
);
