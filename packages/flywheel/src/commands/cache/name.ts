/** The positional parameter of commands about one cache. */
export const cacheName = {
  parse: String,
  placeholder: 'CACHE',
  brief: 'Name of the cache',
} as const;
