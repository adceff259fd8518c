/** What the thread that moves the write-ahead log is told. */
export const CHECKPOINT = 'checkpoint';
export const END = 'end';
