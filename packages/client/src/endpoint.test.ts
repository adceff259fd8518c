import { expect, test } from 'vitest';
import { delegate, parseEndpoint } from './endpoint.ts';

test('an endpoint is a base to join paths to', () => {
  const urls = ['http://c.example:8080', 'https://c.example/attic', 'https://c.example/attic/?a#b'];
  expect(urls.map((url) => parseEndpoint(url).href)).toEqual([
    'http://c.example:8080/',
    'https://c.example/attic/',
    'https://c.example/attic/',
  ]);
});

test('an endpoint is refused without giving away the password in it', () => {
  for (const text of ['cache.example', 'ftp://c.example', '', 'https://']) {
    expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  }
  expect(() => parseEndpoint('https://me:geheim@c.example/')).toThrow(/^(?!.*geheim)/);
});

test('delegation goes where the server says, but a token that was sent with TLS stays in TLS', () => {
  const plain = new URL('http://c.example/');
  const tls = new URL('https://c.example:8443/');
  expect(delegate(plain, undefined).href).toBe('http://c.example/');
  expect(delegate(plain, 'http://other.example').href).toBe('http://other.example/');
  expect(delegate(tls, 'https://other.example/a').href).toBe('https://other.example/a/');
  expect(delegate(tls, 'http://c.example/api').href).toBe('https://c.example:8443/api/');
  expect(() => delegate(tls, 'http://other.example/')).toThrow(/without encryption/);
});
