/** What the thread that moves the write-ahead log is told: move what is worth it, move all, end. */
export type Order = 'some' | 'all' | 'end';
